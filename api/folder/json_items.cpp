#include "api/folder/json_items.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>

#include "api/wire/json_handlers.hpp"

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t arena_size = std::size_t{64} * 1024;  // more than most objects need; larger ones get more

std::vector<Mistake> find_duplicates(std::string_view text) {
    json::basic_parser<JsonDuplicateFinder> parser{json::parse_options{}};
    json::error_code error;
    parser.write_some(false, text.data(), text.size(), error);
    return std::move(parser.handler().found);
}

std::size_t count_members(const json::value& value) {
    std::size_t count = 0;
    if (const auto* object = value.if_object()) {
        count = object->size();
        for (const auto& member : *object)
            if (member.value().is_structured())
                count += count_members(member.value());
    } else if (const auto* array = value.if_array()) {
        for (const json::value& item : *array)
            if (item.is_structured())
                count += count_members(item);
    }
    return count;
}

/// The characters that matter outside texts.
enum Mark : unsigned char { plain, quote, open, close, newline };
constexpr auto marks = [] {
    std::array<Mark, 256> table{};
    table['"'] = quote;
    table['{'] = table['['] = open;
    table['}'] = table[']'] = close;
    table['\n'] = newline;
    return table;
}();

class Cutter {
public:
    Cutter(std::string_view text, const std::function<void(JsonItem&)>& visit)
        : text_(text), visit_(visit), arena_(arena_size), resource_(arena_.data(), arena_.size()) {}

    JsonError cut() {
        for (;;) {
            skip_space();
            if (at_ == text_.size() || !error_.message.empty())
                return error_;
            if (text_[at_] != '{')
                return {line_, "JSON: an object, beginning with '{', belongs here"};
            document();
        }
    }

private:
    struct Span {
        std::string_view text;
        int line = 1;
    };

    void skip_space() {
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '\n')
                ++line_;
            else if (c != ' ' && c != '\t' && c != '\r')
                return;
        }
    }

    /// Past the text that begins at the quote at at_; false at the end of the file.
    bool skip_text() {
        for (++at_;; ++at_) {
            at_ = text_.find_first_of("\"\\", at_);
            if (at_ == std::string_view::npos) {
                at_ = text_.size();
                return false;
            }
            if (text_[at_] == '"')
                break;
            ++at_;
        }
        ++at_;
        return true;
    }

    /// Past the object or list that begins at at_. Brackets are only counted: the parser will match them.
    Span skip_structure() {
        const std::size_t begin = at_;
        Span span{{}, line_};
        int depth = 0;
        while (at_ < text_.size()) {
            switch (marks[static_cast<unsigned char>(text_[at_])]) {
                case quote:
                    if (!skip_text())
                        return span;
                    continue;
                case open:
                    ++depth;
                    break;
                case close:
                    if (--depth == 0) {
                        ++at_;
                        span.text = text_.substr(begin, at_ - begin);
                        return span;
                    }
                    break;
                case newline:
                    ++line_;
                    break;
                case plain:
                    break;
            }
            ++at_;
        }
        return span;
    }

    void fail(int line, std::string message) {
        if (error_.message.empty())
            error_ = {line, std::move(message)};
    }

    /// One object at the top. Its items, if it is a list, are visited on the way; the rest of it, the envelope, is
    /// parsed at the end.
    void document() {
        const int line = line_;
        const std::size_t begin = at_;
        std::string envelope = "{";
        bool is_list = false;
        ++at_;
        for (;;) {
            const std::size_t from = at_;
            skip_to_member();
            envelope += text_.substr(from, at_ - from);
            if (at_ == text_.size())
                return fail(line, "JSON: incomplete: an object that begins here has no end");
            if (text_[at_] == '}')
                break;
            // at the value of a member whose key is key_
            if (key_ == "items" && text_[at_] == '[') {
                is_list = true;
                envelope += "[]";
                items();
            } else {
                member_value(envelope);
            }
            if (!error_.message.empty())
                return;
        }
        ++at_;
        envelope += "}";
        Span span{is_list ? std::string_view(envelope) : text_.substr(begin, at_ - begin), line};
        if (is_list)
            check_envelope(span);
        else
            item(span, {});
        kind_.clear();
        version_.clear();
    }

    /// To the next value of the object at hand, its key in key_; or to the closing bracket, or the end of the text.
    void skip_to_member() {
        while (at_ < text_.size() && text_[at_] != '}') {
            const char c = text_[at_];
            if (c == '"') {
                const std::size_t begin = at_ + 1;
                if (!skip_text())
                    return;
                key_ = std::string(text_.substr(begin, at_ - 1 - begin));
            } else if (c == ':') {
                ++at_;
                skip_space();
                return;
            } else {
                line_ += c == '\n' ? 1 : 0;
                ++at_;
            }
        }
    }

    void member_value(std::string& envelope) {
        const std::size_t begin = at_;
        const char c = text_[at_];
        if (c == '{' || c == '[') {
            const int line = line_;
            const Span span = skip_structure();
            if (span.text.empty())
                return fail(line, "JSON: incomplete: what begins here has no end");
        } else if (c == '"') {
            if (!skip_text())
                return fail(line_, "JSON: incomplete: a text has no end");
            if (key_ == "kind")
                kind_ = std::string(text_.substr(begin + 1, at_ - begin - 2));
            else if (key_ == "apiVersion")
                version_ = std::string(text_.substr(begin + 1, at_ - begin - 2));
        } else {
            while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != '\n')
                ++at_;
        }
        envelope += text_.substr(begin, at_ - begin);
    }

    void items() {
        const int line = line_;
        ++at_;
        for (bool first = true;; first = false) {
            skip_space();
            if (at_ < text_.size() && text_[at_] == ']') {
                ++at_;
                return;
            }
            if (!first) {
                if (at_ < text_.size() && text_[at_] != ',')
                    return fail(line_, "JSON: ',' or ']' belongs here");
                at_ = std::min(at_ + 1, text_.size());
                skip_space();
            }
            if (at_ == text_.size())
                return fail(line, "JSON: incomplete: a list of items that begins here has no end");
            if (text_[at_] != '{')
                return fail(line_, "JSON: an object, beginning with '{', belongs here");
            const Span rest{text_.substr(at_), line_};
            const std::size_t used =
                item(rest, kind_.size() > 4 && kind_.ends_with("List") ? kind_.substr(0, kind_.size() - 4) : "");
            line_ += static_cast<int>(
                std::count(rest.text.begin(), rest.text.begin() + static_cast<std::ptrdiff_t>(used), '\n'));
            at_ += used;
            if (!error_.message.empty())
                return;
        }
    }

    /// Parses the value at the beginning of the text; how long it is, or 0 after an error.
    std::size_t parse(const Span& span, json::value& value) {
        parser_.reset();
        parser_.handler().stack.reset(&resource_);
        parser_.handler().keys = 0;
        json::error_code error;
        const std::size_t used = parser_.write_some(false, span.text.data(), span.text.size(), error);
        if (!error && !parser_.done())
            error = json::error::incomplete;
        if (error) {
            const auto end = span.text.begin() + static_cast<std::ptrdiff_t>(used);
            const auto lines = error == json::error::incomplete ? 0 : std::count(span.text.begin(), end, '\n');
            fail(span.line + static_cast<int>(lines), "JSON: " + error.message());
            return 0;
        }
        value = parser_.handler().stack.release();
        return used;
    }

    /// How long the object at the beginning of the text is.
    std::size_t item(const Span& span, std::string kind_hint) {
        std::size_t used = 0;
        {
            JsonItem item{{}, span.line, std::move(kind_hint), version_, json::value(&resource_), {}};
            used = parse(span, item.value);
            if (used == 0)
                return 0;
            item.text = span.text.substr(0, used);
            if (count_members(item.value) != parser_.handler().keys)
                item.mistakes = find_duplicates(item.text);
            visit_(item);
        }
        resource_.release();
        return used;
    }

    void check_envelope(const Span& span) {
        json::value value(&resource_);
        if (parse(span, value) == 0)
            return;
        const auto* kind = value.as_object().if_contains("kind");
        if (kind == nullptr || !kind->is_string())
            fail(span.line, "kind: missing; only a List has items");
    }

    std::string_view text_;
    const std::function<void(JsonItem&)>& visit_;
    std::vector<unsigned char> arena_;
    json::monotonic_resource resource_;
    json::basic_parser<JsonBuilder> parser_{json::parse_options{}};
    std::size_t at_ = 0;
    int line_ = 1;
    std::string key_;
    std::string kind_;
    std::string version_;
    JsonError error_;
};

}  // namespace

JsonError for_each_json_item(std::string_view text, const std::function<void(JsonItem&)>& visit) {
    return Cutter(text, visit).cut();
}

}  // namespace api
