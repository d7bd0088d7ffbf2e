#include "api/wire/yaml_events.hpp"

#include <yaml.h>

#include <algorithm>

namespace api {
namespace {

std::string text_of(const yaml_char_t* text) {
    return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

/// libyaml's event, which is freed with it.
struct RawEvent {
    yaml_event_t raw{};
    RawEvent() = default;
    ~RawEvent() { yaml_event_delete(&raw); }
    RawEvent(const RawEvent&) = delete;
    RawEvent& operator=(const RawEvent&) = delete;
};

void read_scalar(const yaml_event_t& raw, YamlEvent& event) {
    const auto& scalar = raw.data.scalar;
    event.anchor = text_of(scalar.anchor);
    event.tag = text_of(scalar.tag);
    event.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    event.implicit = scalar.plain_implicit != 0;
}

}  // namespace

struct YamlEvents::Parser {
    yaml_parser_t raw{};
};

YamlEvents::YamlEvents(std::string_view text, int line)
    : parser_(std::make_unique<Parser>()), text_(text), line_(line) {
    if (yaml_parser_initialize(&parser_->raw) == 0)
        throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_->raw, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    yaml_parser_set_encoding(&parser_->raw, YAML_UTF8_ENCODING);
}

YamlEvents::~YamlEvents() {
    yaml_parser_delete(&parser_->raw);
}

YamlPlace YamlEvents::place(std::size_t line, std::size_t column) const {
    return {line_ + static_cast<int>(line), static_cast<int>(column) + 1};
}

/// Why libyaml has stopped. It knows a byte that is no text by its offset only.
YamlUnusable YamlEvents::mistake() const {
    const yaml_parser_t& parser = parser_->raw;
    std::string what = parser.problem != nullptr ? parser.problem : "cannot be read";
    if (parser.context != nullptr)
        what += std::string(" ") + parser.context;
    if (parser.error != YAML_READER_ERROR)
        return {place(parser.problem_mark.line, parser.problem_mark.column), what};
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(std::min(parser.problem_offset, text_.size()));
    return {place(static_cast<std::size_t>(std::count(text_.begin(), end, '\n')), 0), what};
}

YamlEvent YamlEvents::next() {
    RawEvent event;
    do {
        if (yaml_parser_parse(&parser_->raw, &event.raw) == 0)
            throw mistake();
    } while (event.raw.type == YAML_STREAM_START_EVENT);
    const yaml_mark_t& start = event.raw.start_mark;
    YamlEvent result{YamlEvent::Kind::stream_end, place(start.line, start.column), {}, {}, {}, false};
    switch (event.raw.type) {
        case YAML_DOCUMENT_START_EVENT:
            result.kind = YamlEvent::Kind::document;
            break;
        case YAML_DOCUMENT_END_EVENT:
            result.kind = YamlEvent::Kind::document_end;
            break;
        case YAML_ALIAS_EVENT:
            result.kind = YamlEvent::Kind::alias;
            result.anchor = text_of(event.raw.data.alias.anchor);
            break;
        case YAML_SCALAR_EVENT:
            result.kind = YamlEvent::Kind::scalar;
            read_scalar(event.raw, result);
            break;
        case YAML_SEQUENCE_START_EVENT:
            result.kind = YamlEvent::Kind::list;
            result.anchor = text_of(event.raw.data.sequence_start.anchor);
            break;
        case YAML_MAPPING_START_EVENT:
            result.kind = YamlEvent::Kind::map;
            result.anchor = text_of(event.raw.data.mapping_start.anchor);
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            result.kind = YamlEvent::Kind::end;
            break;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_STREAM_END_EVENT:
            break;
    }
    return result;
}

}  // namespace api
