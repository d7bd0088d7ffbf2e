#include "api/folder/manifest_file.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <functional>

#include "api/objects/decode.hpp"
#include "api/wire/json_items.hpp"
#include "api/wire/text_encoding.hpp"
#include "api/wire/yaml_document.hpp"
#include "api/wire/yaml_stream.hpp"

namespace api {
namespace {

constexpr std::size_t max_mistakes = 10;   // of one object
constexpr std::size_t max_problems = 100;  // of a file
constexpr std::size_t max_kinds = 100;     // that are counted by name
constexpr std::size_t max_documents = 100'000;
constexpr int max_list_depth = 8;  // lists in lists

using LineOf = std::function<int(const std::vector<Step>&)>;

/// What is known of an object besides its value.
struct Item {
    std::string_view text;  ///< empty: to be written out
    int line = 1;
    KindHint hint;
    std::vector<Mistake> mistakes;
    LineOf line_of;  ///< empty: only `line` is known
    int depth = 0;   ///< lists that it is in
};

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

/// What a list says of its items; nothing where it does not say both.
KindHint hint_of(const std::string& kind, const std::string& version) {
    if (kind.empty() || version.empty())
        return {};
    return {kind.ends_with("List") ? kind.substr(0, kind.size() - 4) : kind, version};
}

/// kubectl reads anything with a list of items as a list; in a list it need not even have a kind. nullptr: it is none.
const boost::json::array* items_of(const boost::json::value& value, bool is_item) {
    const auto* object = value.if_object();
    const auto* items = object == nullptr ? nullptr : object->if_contains("items");
    if (items == nullptr || (text_at(*object, "kind").empty() && !(is_item && items->is_array())))
        return nullptr;
    static const boost::json::array none;
    return items->is_null() ? &none : items->if_array();
}

bool is_bad_list(const boost::json::value& value) {
    const auto* object = value.if_object();
    const auto* items = object == nullptr ? nullptr : object->if_contains("items");
    return items != nullptr && !items->is_array() && !items->is_null();
}

class Reader {
public:
    explicit Reader(const std::string& file) : file_(file) {}

    ManifestContent content;

    void add(const boost::json::value& value, Item item) {
        if (is_bad_list(value))
            return note({{file_, item.line}, "", "items: must be a list", false});
        const auto* items = item.depth < max_list_depth ? items_of(value, item.depth > 0) : nullptr;
        if (items != nullptr)
            add_items(value.get_object(), *items, item);
        else
            add_object(value, std::move(item));
    }

    void warn(int line, std::string message) { note({{file_, line}, "", std::move(message), true}); }

    /// What stands there cannot be read.
    void broken(int line, std::string message) {
        content.complete = false;
        note({{file_, line}, "", std::move(message) + "; what was read from this file before stays", false});
    }

    ManifestContent finish() {
        if (left_out_ > 0)
            content.problems.push_back(
                {{file_, 0}, "", "and " + std::to_string(left_out_) + " more problems in this file", false});
        return std::move(content);
    }

private:
    void add_items(const boost::json::object& list, const boost::json::array& items, const Item& outer) {
        const std::string kind = text_at(list, "kind");
        const KindHint hint = hint_of(kind, text_at(list, "apiVersion"));
        for (std::size_t i = 0; i < items.size(); ++i) {
            Item item{{}, outer.line, hint, {}, {}, outer.depth + 1};
            const std::vector<Step> place{Step(std::string("items")), Step(i)};
            for (const Mistake& mistake : outer.mistakes)
                if (mistake.path.size() > 2 && std::equal(place.begin(), place.end(), mistake.path.begin()))
                    item.mistakes.push_back(
                        {{mistake.path.begin() + 2, mistake.path.end()}, mistake.message, mistake.warning});
            if (outer.line_of) {
                item.line_of = [&outer, place](std::vector<Step> path) {
                    path.insert(path.begin(), place.begin(), place.end());
                    return outer.line_of(path);
                };
                item.line = item.line_of({});
            }
            add(items[i], std::move(item));
        }
    }

    void add_object(const boost::json::value& value, Item item) {
        Decoded decoded = decode(Value(&value), item.hint);
        if (!decoded.other.empty())
            count(decoded.other);
        else
            decoded.mistakes.insert(decoded.mistakes.begin(), std::make_move_iterator(item.mistakes.begin()),
                                    std::make_move_iterator(item.mistakes.end()));
        if (std::any_of(decoded.mistakes.begin(), decoded.mistakes.end(), [](const Mistake& m) { return !m.warning; }))
            decoded.objects.clear();
        report(decoded, item);
        if (decoded.names.empty())
            return;
        const std::uint64_t fingerprint = item.text.empty() ? std::hash<std::string>{}(boost::json::serialize(value))
                                                            : std::hash<std::string_view>{}(item.text);
        for (std::size_t i = 0; i < decoded.names.size(); ++i) {
            ManifestEntry& entry = content.entries.emplace_back();
            entry.key = {*decoded.kind, std::move(decoded.names[i])};
            entry.origin = {file_, item.line};
            entry.label = decoded.label;
            entry.fingerprint = fingerprint;
            entry.good = !decoded.objects.empty();
            if (entry.good)
                entry.object = std::move(decoded.objects[i]);
        }
    }

    void count(const std::string& kind) {
        const bool known = content.others.size() < max_kinds || content.others.contains(kind);
        ++content.others[known ? kind : "others"];
    }

    void report(const Decoded& decoded, const Item& item) {
        const auto& mistakes = decoded.mistakes;
        for (std::size_t i = 0; i < std::min(mistakes.size(), max_mistakes); ++i)
            note({{file_, item.line_of ? item.line_of(mistakes[i].path) : item.line},
                  decoded.label,
                  to_string(mistakes[i]),
                  mistakes[i].warning});
        if (mistakes.size() > max_mistakes)
            note({{file_, item.line},
                  decoded.label,
                  "and " + std::to_string(mistakes.size() - max_mistakes) + " more mistakes",
                  false});
    }

    void note(Problem problem) {
        if (content.problems.size() < max_problems)
            content.problems.push_back(std::move(problem));
        else
            ++left_out_;
    }

    const std::string& file_;
    std::size_t left_out_ = 0;  // problems
};

/// Counts the lines of a text forwards.
class LineCounter {
public:
    explicit LineCounter(std::string_view text) : text_(text) {}
    /// The line of the byte at `place`, which is not before that of the last call.
    int at(std::size_t place) {
        const auto begin = text_.begin();
        line_ += static_cast<int>(
            std::count(begin + static_cast<std::ptrdiff_t>(at_), begin + static_cast<std::ptrdiff_t>(place), '\n'));
        at_ = place;
        return line_;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
    int line_ = 1;
};

/// `begins_well` becomes true when the text has an object of JSON: then it is not meant as YAML.
ManifestContent read_json(const std::string& file, std::string_view text, bool& begins_well) {
    Reader reader(file);
    LineCounter lines(text);
    JsonItemsError error;
    JsonItems items({}, [&](JsonItem& item) {
        if (item.kind == JsonItem::Kind::list) {
            if (text_at(item.value.get_object(), "kind").empty() && error.message.empty())
                error = {item.begin, "kind: missing; only a List has items"};
            return;
        }
        begins_well = true;
        const std::string_view own = text.substr(item.begin, item.end - item.begin);
        reader.add(
            item.value,
            {own, lines.at(item.begin), hint_of(item.list_kind, item.list_version), find_duplicates(item, own), {}});
    });
    items.feed(text);
    if (const JsonItemsError broken = items.finish(); !broken.message.empty() && error.message.empty())
        error = {broken.at, "JSON: " + broken.message};
    if (error.message.empty())
        return reader.finish();
    Reader nothing(file);
    nothing.broken(LineCounter(text).at(error.at), error.message);
    return nothing.finish();
}

/// A document in a part of the text, which ends at a "---", or at what follows it there.
void add_document(Reader& reader, const YamlDocument& document, bool must_be_all) {
    if (document.next_line != 0 && must_be_all)
        reader.broken(document.next_line, "YAML: the document ends before this");
    else if (document.next_line != 0)
        reader.warn(document.next_line, "the document ends before this; up to the next '---' it is not read");
    reader.add(document.value, {{}, document.line, {}, document.mistakes, [&](const std::vector<Step>& path) {
                                    return document.line_of(path);
                                }});
}

/// `must_be_all`: what kubectl would leave out without a word, behind the end of a document, is an error.
ManifestContent read_yaml(const std::string& file, std::string_view text, bool must_be_all) {
    Reader reader(file);
    YamlBudget budget;
    YamlStream stream(text);
    std::size_t documents = 0;
    for (YamlPart part; stream.next(part);) {
        if (++documents > max_documents) {
            reader.broken(part.line, "more than 100,000 documents; split the file");
            break;
        }
        if (part.bad_line != 0) {
            reader.broken(part.bad_line, "YAML: only a comment may follow '---' in its line");
            continue;
        }
        const auto document = parse_yaml_document(part.text, budget, part.line);
        if (!document)
            reader.broken(document.error().line, document.error().message);
        else if (*document)
            add_document(reader, **document, must_be_all);
    }
    return reader.finish();
}

}  // namespace

ManifestContent read_manifest(const std::string& file, std::string_view bytes) {
    std::string storage;
    const std::string_view text = as_utf8(bytes, storage);
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        Reader reader(file);
        reader.broken(1, "the file is empty (being written?); delete it to remove its objects");
        return reader.finish();
    }
    if (text[first] != '{')
        return read_yaml(file, text, false);
    bool begins_well = file.ends_with(".json");
    ManifestContent json = read_json(file, text, begins_well);
    if (json.complete)
        return json;
    ManifestContent yaml = read_yaml(file, text, true);  // in flow style
    return yaml.complete || !begins_well ? yaml : json;
}

}  // namespace api
