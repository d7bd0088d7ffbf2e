#include "api/yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 64;
constexpr std::size_t max_values = 2'000'000;

int line_at(const YAML::Mark& mark) {
    return mark.line + 1;
}

struct Unusable : std::runtime_error {
    Unusable(const YAML::Mark& where, const char* what) : std::runtime_error(what), mark(where) {}
    YAML::Mark mark;
};

using Lines = YamlLines;

std::size_t count(const Lines& lines) {
    std::size_t values = 1;
    for (const Lines& child : lines.children)
        values += count(child);
    return values;
}

/// YAML 1.1 words of go-yaml, which Kubernetes uses.
bool is_true(const std::string& text) {
    return text == "true" || text == "True" || text == "TRUE" || text == "yes" || text == "Yes" || text == "YES" ||
           text == "on" || text == "On" || text == "ON";
}
bool is_false(const std::string& text) {
    return text == "false" || text == "False" || text == "FALSE" || text == "no" || text == "No" || text == "NO" ||
           text == "off" || text == "Off" || text == "OFF";
}
bool is_null(const std::string& text) {
    return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

template <class Number>
bool whole(const std::string& text, std::size_t from, int base, Number& number) {
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + from, end, number, base);
    return code == std::errc{} && stop == end && from < text.size();
}

/// A plain scalar: null, bool, number or text.
json::value plain(const std::string& text) {
    if (is_null(text))
        return nullptr;
    if (is_true(text))
        return true;
    if (is_false(text))
        return false;
    std::int64_t number = 0;
    const std::size_t from = text[0] == '+' ? 1 : 0;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && whole(text, 2, 16, number))
        return number;
    if (text.size() > 2 && text[0] == '0' && text[1] == 'o' && whole(text, 2, 8, number))
        return number;
    if (text.size() > 1 && text[0] == '0' && whole(text, 1, 8, number))
        return number;
    if (whole(text, from, 10, number))
        return number;
    double real = 0;
    const bool numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
    const char* end = text.data() + text.size();
    if (numeric) {
        const auto [stop, code] = std::from_chars(text.data() + from, end, real);
        if (code == std::errc{} && stop == end && std::isfinite(real))
            return real;
    }
    return json::string(text);
}

/// Turns the parser's events into JSON values, so that no tree of yaml-cpp's own is built beside them.
class Builder final : public YAML::EventHandler {
public:
    std::vector<YamlDocument> documents;

    /// The parser does not move past some of what belongs to no document, and would begin the next one there, for ever.
    void OnDocumentStart(const YAML::Mark& mark) override {
        if (mark.pos == last_start_)
            throw Unusable(mark, "what begins here belongs to no document");
        last_start_ = mark.pos;
        mistakes_.clear();
        anchors_.clear();
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        put(mark, anchor, {nullptr, {line_at(mark), {}}});
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            throw Unusable(mark, "an alias inside of what it stands for");
        values_ += count(found->second.lines);
        put(mark, 0, found->second);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        if (awaits_key())
            return open_key(mark, text);
        // "!" is the tag of quoted scalars, "?" of plain ones.
        const bool is_text = tag == "!" || tag == "tag:yaml.org,2002:str";
        put(mark, anchor, {is_text ? json::value(json::string(text)) : plain(text), {line_at(mark), {}}});
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, anchor, json::array());
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, anchor, json::object());
    }
    void OnMapEnd() override { close(); }

private:
    struct Built {
        json::value value;
        Lines lines;
    };
    /// A list or map whose end has not come.
    struct Open {
        Built built;
        YAML::Mark mark;
        YAML::anchor_t anchor = 0;
        std::optional<std::string> key;
        int key_line = 0;
    };

    bool awaits_key() const { return !open_.empty() && open_.back().built.value.is_object() && !open_.back().key; }

    void open_key(const YAML::Mark& mark, const std::string& text) {
        open_.back().key = text;
        open_.back().key_line = line_at(mark);
    }

    void open(const YAML::Mark& mark, YAML::anchor_t anchor, json::value empty) {
        if (awaits_key())
            throw Unusable(mark, "a key that is not a text");
        if (open_.size() == max_depth)
            throw Unusable(mark, "nested deeper than 64 levels");
        open_.push_back({{std::move(empty), {line_at(mark), {}}}, mark, anchor, {}, 0});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        put(done.mark, done.anchor, std::move(done.built));
    }

    void put(const YAML::Mark& mark, YAML::anchor_t anchor, Built built) {
        if (++values_ > max_values)
            throw Unusable(mark, "more than 2,000,000 values (aliases count each time they are used)");
        if (awaits_key())
            throw Unusable(mark, "a key that is not a text");
        if (anchor != 0)
            anchors_.insert_or_assign(anchor, built);
        if (open_.empty())
            finish(std::move(built));
        else if (auto* items = open_.back().built.value.if_array())
            put_item(*items, std::move(built));
        else
            put_member(open_.back(), std::move(built));
    }

    void put_item(json::array& items, Built built) {
        items.push_back(std::move(built.value));
        open_.back().built.lines.children.push_back(std::move(built.lines));
    }

    void put_member(Open& map, Built built) {
        auto& members = map.built.value.get_object();
        auto& lines = map.built.lines.children;
        built.lines.line = map.key_line;
        const auto [member, added] = members.emplace(*map.key, std::move(built.value));
        if (added) {
            lines.push_back(std::move(built.lines));
        } else {
            mistakes_.push_back({path(), "duplicate key", false});
            lines[static_cast<std::size_t>(member - members.begin())].line = map.key_line;  // the one to delete
        }
        map.key.reset();
    }

    /// Of the value that is being put.
    std::vector<Step> path() const {
        std::vector<Step> steps;
        for (const Open& open : open_) {
            if (open.key)
                steps.emplace_back(*open.key);
            else
                steps.emplace_back(open.built.lines.children.size());
        }
        return steps;
    }

    void finish(Built built) {
        if (built.value.is_null())
            return;
        YamlDocument& document = documents.emplace_back();
        document.line = built.lines.line;
        document.value = std::move(built.value);
        document.mistakes = std::exchange(mistakes_, {});
        document.lines = std::move(built.lines);
    }

    std::vector<Open> open_;
    std::map<YAML::anchor_t, Built> anchors_;
    std::vector<Mistake> mistakes_;
    std::size_t values_ = 0;
    int last_start_ = -1;
};

}  // namespace

int YamlDocument::line_of(const std::vector<Step>& path) const {
    const json::value* at = &value;
    const YamlLines* lines_at = &lines;
    for (const Step& step : path) {
        std::size_t index = 0;
        if (const auto* number = std::get_if<std::size_t>(&step)) {
            const auto* items = at->if_array();
            if (items == nullptr || *number >= items->size())
                break;
            index = *number;
            at = &(*items)[index];
        } else {
            const auto* members = at->if_object();
            const auto* member = members == nullptr ? nullptr : members->find(std::get<std::string>(step));
            if (members == nullptr || member == members->end())
                break;
            index = static_cast<std::size_t>(member - members->begin());
            at = &member->value();
        }
        lines_at = &lines_at->children[index];
    }
    return lines_at->line;
}

tl::expected<std::vector<YamlDocument>, YamlError> parse_yaml(const std::string& text) {
    Builder builder;
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        return tl::unexpected(YamlError{line_at(error.mark), error.mark.column + 1, "YAML: " + error.msg});
    } catch (const Unusable& error) {
        return tl::unexpected(
            YamlError{line_at(error.mark), error.mark.column + 1, std::string("YAML: ") + error.what()});
    }
    return std::move(builder.documents);
}

}  // namespace api
