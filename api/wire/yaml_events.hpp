// libyaml's events as values; the C library is seen here only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "api/wire/yaml_document.hpp"

namespace api {

/// The text cannot be used from here on.
struct YamlUnusable : std::runtime_error {
    YamlUnusable(YamlPlace where, const std::string& what) : std::runtime_error(what), place(where) {}
    YamlPlace place;
};

struct YamlEvent {
    enum class Kind : std::uint8_t { stream_end, document, document_end, alias, scalar, list, map, end } kind;
    YamlPlace place;
    std::string anchor;     ///< of a scalar, list or map; what an alias stands for
    std::string tag;        ///< of a scalar: the long form, or empty
    std::string text;       ///< of a scalar
    bool implicit = false;  ///< of a scalar: without quotes, and without a tag of its own
};

class YamlEvents {
public:
    /// `line`: where the text, which must outlive it, begins in its file.
    YamlEvents(std::string_view text, int line);
    ~YamlEvents();
    YamlEvents(const YamlEvents&) = delete;
    YamlEvents& operator=(const YamlEvents&) = delete;

    /// Throws YamlUnusable.
    YamlEvent next();

private:
    YamlPlace place(std::size_t line, std::size_t column) const;
    YamlUnusable mistake() const;

    struct Parser;
    std::unique_ptr<Parser> parser_;
    std::string_view text_;
    int line_;
};

}  // namespace api
