#include "api/json_items.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <set>

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t arena_size = 1024 * 1024;

/// Remembers the keys of the objects that it is in; finds those that come twice.
class DuplicateFinder {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    std::vector<Mistake> found;

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return open(true); }
    bool on_object_end(std::size_t, json::error_code&) { return close(); }
    bool on_array_begin(json::error_code&) { return open(false); }
    bool on_array_end(std::size_t, json::error_code&) { return close(); }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code&) {
        key_.append(part.data(), part.size());
        Level& level = levels_.back();
        level.key = std::exchange(key_, {});
        if (!level.keys.insert(level.key).second)
            note();
        return true;
    }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return next(); }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return next(); }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return next(); }
    bool on_double(double, json::string_view, json::error_code&) { return next(); }
    bool on_bool(bool, json::error_code&) { return next(); }
    bool on_null(json::error_code&) { return next(); }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    struct Level {
        bool object = false;
        std::set<std::string> keys;
        std::string key;
        std::size_t index = 0;
    };

    bool open(bool object) {
        levels_.push_back({object, {}, {}, 0});
        return true;
    }
    bool close() {
        levels_.pop_back();
        return next();
    }
    bool next() {
        if (!levels_.empty())
            ++levels_.back().index;
        return true;
    }
    void note() {
        std::vector<Step> path;
        for (const Level& level : levels_) {
            if (level.object)
                path.emplace_back(level.key);
            else
                path.emplace_back(level.index);
        }
        found.push_back({std::move(path), "duplicate key", false});
    }

    std::vector<Level> levels_;
    std::string key_;
};

std::vector<Mistake> find_duplicates(std::string_view text) {
    json::basic_parser<DuplicateFinder> parser{json::parse_options{}};
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
enum Mark : unsigned char { plain, quote, open, close, colon, newline };
constexpr auto marks = [] {
    std::array<Mark, 256> table{};
    table['"'] = quote;
    table['{'] = table['['] = open;
    table['}'] = table[']'] = close;
    table[':'] = colon;
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
        std::size_t colons = 0;
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
        Span span{{}, line_, 0};
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
                case colon:
                    ++span.colons;
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
        std::size_t colons = 0;
        ++at_;
        for (;;) {
            const std::size_t from = at_;
            skip_to_member(colons);
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
                member_value(envelope, colons);
            }
            if (!error_.message.empty())
                return;
        }
        ++at_;
        envelope += "}";
        Span span{is_list ? std::string_view(envelope) : text_.substr(begin, at_ - begin), line, colons};
        if (is_list)
            check_envelope(span);
        else
            item(span, {});
        kind_.clear();
    }

    /// To the next value of the object at hand, its key in key_; or to the closing bracket, or the end of the text.
    void skip_to_member(std::size_t& colons) {
        while (at_ < text_.size() && text_[at_] != '}') {
            const char c = text_[at_];
            if (c == '"') {
                const std::size_t begin = at_ + 1;
                if (!skip_text())
                    return;
                key_ = std::string(text_.substr(begin, at_ - 1 - begin));
            } else if (c == ':') {
                ++colons;
                ++at_;
                skip_space();
                return;
            } else {
                line_ += c == '\n' ? 1 : 0;
                ++at_;
            }
        }
    }

    void member_value(std::string& envelope, std::size_t& colons) {
        const std::size_t begin = at_;
        const char c = text_[at_];
        if (c == '{' || c == '[') {
            const int line = line_;
            const Span span = skip_structure();
            if (span.text.empty())
                return fail(line, "JSON: incomplete: what begins here has no end");
            colons += span.colons;
        } else if (c == '"') {
            if (!skip_text())
                return fail(line_, "JSON: incomplete: a text has no end");
            if (key_ == "kind")
                kind_ = std::string(text_.substr(begin + 1, at_ - begin - 2));
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
            const Span span = skip_structure();
            if (span.text.empty())
                return fail(span.line, "JSON: incomplete: an object that begins here has no end");
            item(span, kind_.size() > 4 && kind_.ends_with("List") ? kind_.substr(0, kind_.size() - 4) : "");
            if (!error_.message.empty())
                return;
        }
    }

    /// False after an error.
    bool parse(const Span& span, json::value& value) {
        parser_.reset(&resource_);
        json::error_code error;
        const std::size_t used = parser_.write(span.text.data(), span.text.size(), error);
        if (error) {
            const auto lines =
                std::count(span.text.begin(), span.text.begin() + static_cast<std::ptrdiff_t>(used), '\n');
            fail(span.line + static_cast<int>(lines), "JSON: " + error.message());
            return false;
        }
        value = parser_.release();
        return true;
    }

    void item(const Span& span, std::string kind_hint) {
        {
            JsonItem item{span.text, span.line, std::move(kind_hint), json::value(&resource_), {}};
            if (!parse(span, item.value))
                return;
            // Boost.JSON keeps the last of duplicate members: fewer members than colons.
            if (count_members(item.value) != span.colons)
                item.mistakes = find_duplicates(span.text);
            visit_(item);
        }
        resource_.release();
    }

    void check_envelope(const Span& span) {
        json::value value(&resource_);
        if (!parse(span, value))
            return;
        const auto* kind = value.as_object().if_contains("kind");
        if (kind == nullptr || !kind->is_string() || !std::string_view(kind->get_string()).ends_with("List"))
            fail(span.line, "kind: only a List has items");
    }

    std::string_view text_;
    const std::function<void(JsonItem&)>& visit_;
    std::vector<unsigned char> arena_;
    json::monotonic_resource resource_;
    json::parser parser_;
    std::size_t at_ = 0;
    int line_ = 1;
    std::string key_;
    std::string kind_;
    JsonError error_;
};

}  // namespace

JsonError for_each_json_item(std::string_view text, const std::function<void(JsonItem&)>& visit) {
    return Cutter(text, visit).cut();
}

}  // namespace api
