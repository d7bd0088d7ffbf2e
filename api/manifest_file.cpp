#include "api/manifest_file.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <functional>

#include "api/decode.hpp"
#include "api/json_items.hpp"
#include "api/yaml_document.hpp"

namespace api {
namespace {

constexpr std::size_t max_mistakes = 10;  // of one object

using LineOf = std::function<int(const std::vector<Step>&)>;

class Reader {
public:
    explicit Reader(const std::string& file) : file_(file) {}

    ManifestContent content;

    void add(const boost::json::value& value, std::string_view text, int line, const std::string& kind_hint,
             std::vector<Mistake> mistakes, const LineOf& line_of) {
        Decoded decoded = decode(Value(&value), kind_hint);
        if (std::any_of(mistakes.begin(), mistakes.end(), [](const Mistake& m) { return !m.warning; }))
            decoded.objects.clear();
        mistakes.insert(mistakes.end(), std::make_move_iterator(decoded.mistakes.begin()),
                        std::make_move_iterator(decoded.mistakes.end()));
        report(mistakes, decoded.label, line, line_of);
        const std::uint64_t fingerprint = std::hash<std::string_view>{}(text);
        for (std::size_t i = 0; i < decoded.names.size(); ++i) {
            ManifestEntry& entry = content.entries.emplace_back();
            entry.key = {*decoded.kind, std::move(decoded.names[i])};
            entry.origin = {file_, line};
            entry.label = decoded.label;
            entry.fingerprint = fingerprint;
            entry.good = !decoded.objects.empty();
            if (entry.good)
                entry.object = std::move(decoded.objects[i]);
        }
    }

    void unusable(int line, std::string message) {
        content = {};
        content.usable = false;
        content.problems.push_back(
            {{file_, line}, "", std::move(message) + "; what was read from this file before stays", false});
    }

private:
    void report(const std::vector<Mistake>& mistakes, const std::string& label, int line, const LineOf& line_of) {
        for (std::size_t i = 0; i < mistakes.size(); ++i) {
            if (i == max_mistakes) {
                content.problems.push_back(
                    {{file_, line}, label, "and " + std::to_string(mistakes.size() - i) + " more mistakes", false});
                return;
            }
            const Mistake& mistake = mistakes[i];
            content.problems.push_back(
                {{file_, line_of ? line_of(mistake.path) : line}, label, to_string(mistake), mistake.warning});
        }
    }

    const std::string& file_;
};

/// A List in YAML: each item as if it stood alone.
void add_yaml(Reader& reader, const YamlDocument& document) {
    const auto* object = document.value.if_object();
    const auto* kind = object == nullptr ? nullptr : object->if_contains("kind");
    const auto* items = object == nullptr ? nullptr : object->if_contains("items");
    const bool is_list = kind != nullptr && kind->is_string() &&
                         std::string_view(kind->get_string()).ends_with("List") && items != nullptr &&
                         items->is_array();
    if (!is_list) {
        reader.add(document.value, boost::json::serialize(document.value), document.line, {}, document.mistakes,
                   [&](const std::vector<Step>& path) { return document.line_of(path); });
        return;
    }
    const std::string list_kind(kind->get_string());
    for (std::size_t i = 0; i < items->get_array().size(); ++i) {
        std::vector<Mistake> mistakes;
        for (const Mistake& mistake : document.mistakes)
            if (mistake.path.size() > 2 && mistake.path[1] == Step(i))
                mistakes.push_back({{mistake.path.begin() + 2, mistake.path.end()}, mistake.message, mistake.warning});
        const auto line_of = [&](std::vector<Step> path) {
            path.insert(path.begin(), {Step(std::string("items")), Step(i)});
            return document.line_of(path);
        };
        const boost::json::value& item = items->get_array()[i];
        reader.add(item, boost::json::serialize(item), line_of({}), list_kind.substr(0, list_kind.size() - 4), mistakes,
                   line_of);
    }
}

bool looks_like_json(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{';
}

ManifestContent read_json(const std::string& file, std::string_view text) {
    Reader reader(file);
    const JsonError error = for_each_json_item(text, [&](JsonItem& item) {
        reader.add(item.value, item.text, item.line, item.kind_hint, std::move(item.mistakes), {});
    });
    if (!error.message.empty())
        reader.unusable(error.line, error.message);
    return std::move(reader.content);
}

ManifestContent read_yaml(const std::string& file, std::string_view text) {
    Reader reader(file);
    const auto documents = parse_yaml(std::string(text));
    if (!documents)
        reader.unusable(documents.error().line, documents.error().message);
    else
        for (const YamlDocument& document : *documents)
            add_yaml(reader, document);
    return std::move(reader.content);
}

}  // namespace

ManifestContent read_manifest(const std::string& file, std::string_view text) {
    Reader reader(file);
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        reader.unusable(1, "the file is empty (being written?); delete it to remove its objects");
        return std::move(reader.content);
    }
    if (file.ends_with(".json"))
        return read_json(file, text);
    if (looks_like_json(text))  // or like YAML in flow style
        if (ManifestContent content = read_json(file, text); content.usable)
            return content;
    return read_yaml(file, text);
}

}  // namespace api
