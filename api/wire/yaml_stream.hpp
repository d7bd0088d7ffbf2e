// Tells where one document of a file ends and the next begins, as kubectl sees it (apimachinery's YAMLReader): at each
// line that begins with "---", before any YAML is read. Pure.
#pragma once

#include <string_view>

namespace api {

struct YamlPart {
    std::string_view text;
    int line = 1;      ///< of its beginning, in the file
    int bad_line = 0;  ///< not 0: the line that ends it is no separator, and kubectl refuses it
};

class YamlStream {
public:
    explicit YamlStream(std::string_view text) : rest_(text) {}

    /// The next one, also one of comments only; false at the end.
    bool next(YamlPart& part);

private:
    std::string_view rest_;
    int line_ = 1;
};

}  // namespace api
