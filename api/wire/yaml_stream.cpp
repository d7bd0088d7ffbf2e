#include "api/wire/yaml_stream.hpp"

#include <algorithm>

namespace api {
namespace {

/// Blanks, or a comment.
bool may_follow(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n\v\f");
    return first == std::string_view::npos || text[first] == '#';
}

}  // namespace

bool YamlStream::next(YamlPart& part) {
    if (rest_.empty())
        return false;
    part = {{}, line_, 0};
    std::size_t at = 0;
    while (at < rest_.size()) {
        const std::size_t end = std::min(rest_.find('\n', at), rest_.size() - 1) + 1;
        const std::string_view line = rest_.substr(at, end - at);
        const bool separates = line.starts_with("---");
        if (separates && !may_follow(line.substr(3)))
            part.bad_line = line_;
        else if (separates && at > 0)
            break;
        at = end;
        ++line_;
        if (part.bad_line != 0)
            break;
    }
    part.text = rest_.substr(0, at);
    rest_.remove_prefix(at);
    return true;
}

}  // namespace api
