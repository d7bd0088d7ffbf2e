#include "api/wire/yaml_document.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/wire/yaml_events.hpp"
#include "api/wire/yaml_scalar.hpp"
#include "api/wire/yaml_stream.hpp"
#include "base/overloaded.hpp"

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 64;
constexpr std::string_view merge_tag = "tag:yaml.org,2002:merge";

/// A value that is complete.
struct Built {
    json::value value;
    YamlLines lines;
    std::size_t nodes = 1;  ///< it, its keys and all that is in it
    std::size_t depth = 0;  ///< levels of lists and maps
};

/// A list or map whose end has not come.
struct Open {
    Built built;
    std::string anchor;
    std::optional<std::string> key;
    YamlPlace key_place;
    bool merging = false;          ///< the key is <<
    std::set<std::string> merged;  ///< keys that came by << and may be given anew
};

/// go.yaml.in/yaml/v2 allowedAliasRatio (decode.go).
double allowed_alias_ratio(std::size_t nodes) {
    constexpr double low = 400'000;
    constexpr double high = 4'000'000;
    return nodes <= low    ? 0.99
           : nodes >= high ? 0.10
                           : 0.99 - 0.89 * ((static_cast<double>(nodes) - low) / (high - low));
}

class Builder {
public:
    Builder(std::string_view text, YamlBudget& budget, int line, YamlScalars scalars)
        : events_(text, line), budget_(budget), scalars_(scalars) {}

    std::optional<YamlDocument> read() {
        YamlEvent event = events_.next();
        if (event.kind == YamlEvent::Kind::stream_end)
            return std::nullopt;
        while ((event = events_.next()).kind != YamlEvent::Kind::document_end)
            add(event);
        document_.line = document_.lines.at.line;
        document_.next_line = next_line();
        return document_.value.is_null() ? std::nullopt : std::optional(std::move(document_));
    }

private:
    int next_line() {
        try {
            const YamlEvent event = events_.next();
            return event.kind == YamlEvent::Kind::stream_end ? 0 : event.place.line;
        } catch (const YamlUnusable& error) {
            return error.place.line;
        }
    }

    void add(YamlEvent& event) {
        switch (event.kind) {
            case YamlEvent::Kind::alias:
                return alias(event);
            case YamlEvent::Kind::scalar:
                return scalar(event);
            case YamlEvent::Kind::list:
                return open(event, json::array());
            case YamlEvent::Kind::map:
                return open(event, json::object());
            case YamlEvent::Kind::end:
                return close();
            case YamlEvent::Kind::document:
            case YamlEvent::Kind::document_end:
            case YamlEvent::Kind::stream_end:
                return;
        }
    }

    bool awaits_key() const {
        return !open_.empty() && open_.back().built.value.is_object() && !open_.back().key && !open_.back().merging;
    }

    void scalar(const YamlEvent& event) {
        count(event.place, 1, 0);
        if (awaits_key() && event.text == "<<" && (event.implicit || event.tag == merge_tag)) {
            open_.back().merging = true;
            open_.back().key_place = event.place;
            ++open_.back().built.nodes;
            return;
        }
        Built built{nullptr, {event.place, event.place, {}}};
        const bool quoted = event.tag.empty() && !event.implicit;
        auto resolved = quoted ? json::string(event.text) : resolve_scalar(event.tag, event.text);
        if (scalars_ == YamlScalars::as_text && !(resolved && resolved->is_null()))
            resolved = json::string(event.text);
        if (!resolved)
            throw YamlUnusable(event.place, resolved.error());
        built.value = std::move(*resolved);
        put(event.place, event.anchor, std::move(built), false);
    }

    void alias(const YamlEvent& event) {
        const auto found = anchors_.find(event.anchor);
        const bool inside = std::ranges::any_of(open_, [&](const Open& o) { return o.anchor == event.anchor; });
        if (inside)
            throw YamlUnusable(event.place, "an alias inside of what it stands for");
        if (found == anchors_.end())
            throw YamlUnusable(event.place, "*" + event.anchor + " stands for nothing; no & before it has this name");
        count(event.place, 1, 0);
        count(event.place, found->second.nodes, found->second.nodes);
        Built built = found->second;
        built.lines.at = event.place;
        put(event.place, {}, std::move(built), true);
    }

    void open(YamlEvent& event, json::value empty) {
        if (awaits_key())
            throw YamlUnusable(event.place, scalar_key(empty).error());
        if (open_.size() == max_depth)
            throw YamlUnusable(event.place, "nested deeper than 64 levels");
        count(event.place, 1, 0);
        open_.push_back(
            {{std::move(empty), {event.place, event.place, {}}, 1, 1}, std::move(event.anchor), {}, {}, false, {}});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        put(done.built.lines.at, done.anchor, std::move(done.built), false);
    }

    /// Bounds what is read, by number and, as Go's decoder does, by the part of aliases in it.
    void count(YamlPlace place, std::size_t nodes, std::size_t by_alias) {
        nodes_ += nodes;
        by_alias_ += by_alias;
        if (nodes > budget_.values)
            throw YamlUnusable(place, "more than 4,000,000 values (aliases count each time they are used)");
        budget_.values -= nodes;
        if (by_alias_ > 100 && nodes_ > 1000 &&
            static_cast<double>(by_alias_) > allowed_alias_ratio(nodes_) * static_cast<double>(nodes_))
            throw YamlUnusable(place, "too much of it is aliases; write it out");
    }

    void put(YamlPlace place, const std::string& anchor, Built built, bool is_alias) {
        if (!anchor.empty())
            anchors_.insert_or_assign(anchor, built);
        if (open_.empty()) {
            document_.lines = std::move(built.lines);
            document_.value = std::move(built.value);
            return;
        }
        Open& parent = open_.back();
        if (open_.size() + built.depth > max_depth)
            throw YamlUnusable(place, "nested deeper than 64 levels");
        parent.built.nodes += built.nodes;
        parent.built.depth = std::max(parent.built.depth, built.depth + 1);
        if (awaits_key()) {
            auto key = scalar_key(built.value);
            if (!key)
                throw YamlUnusable(place, key.error());
            parent.key = std::move(*key);
            parent.key_place = place;
        } else if (parent.merging) {
            merge(parent, place, built, is_alias);
        } else if (auto* items = parent.built.value.if_array()) {
            items->push_back(std::move(built.value));
            parent.built.lines.children.push_back(std::move(built.lines));
        } else {
            put_member(parent, std::move(built));
        }
    }

    void put_member(Open& map, Built built) {
        auto& members = map.built.value.get_object();
        auto& lines = map.built.lines.children;
        built.lines.at = map.key_place;
        const auto found = members.find(*map.key);
        if (found == members.end()) {
            members.emplace(*map.key, std::move(built.value));
            lines.push_back(std::move(built.lines));
        } else {
            const auto index = static_cast<std::size_t>(found - members.begin());
            if (map.merged.erase(*map.key) == 0)
                document_.mistakes.push_back({path(), "duplicate key", false});
            found->value() = std::move(built.value);
            lines[index] = std::move(built.lines);  // the one to delete
        }
        map.key.reset();
    }

    /// Merges as Go's decoder does: what comes later, by << or as a key, wins; of a list of maps its first one.
    void merge(Open& map, YamlPlace place, const Built& built, bool is_alias) {
        map.merging = false;
        if (built.value.is_object())
            return merge_from(map, built.value.get_object());
        const auto* list = is_alias ? nullptr : built.value.if_array();
        if (list == nullptr || !std::ranges::all_of(*list, [](const json::value& item) { return item.is_object(); }))
            throw YamlUnusable(place, "<< takes a mapping, or a list of mappings");
        for (std::size_t i = list->size(); i-- > 0;)
            merge_from(map, (*list)[i].get_object());
    }

    static void merge_from(Open& map, const json::object& from) {
        auto& members = map.built.value.get_object();
        auto& lines = map.built.lines.children;
        for (const auto& member : from) {
            const auto [place, added] = members.insert_or_assign(member.key(), member.value());
            YamlLines where = lines_like(member.value(), map.key_place);
            if (added) {
                lines.push_back(std::move(where));
                map.merged.insert(std::string(member.key()));
            } else {
                lines[static_cast<std::size_t>(place - members.begin())] = std::move(where);
            }
        }
    }

    /// All of it stands where << does.
    static YamlLines lines_like(const json::value& value, YamlPlace place) {
        YamlLines lines{place, place, {}};
        if (const auto* items = value.if_array())
            for (const json::value& item : *items)
                lines.children.push_back(lines_like(item, place));
        else if (const auto* members = value.if_object())
            for (const auto& member : *members)
                lines.children.push_back(lines_like(member.value(), place));
        return lines;
    }

    /// The path of the value that is being put.
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

    YamlEvents events_;
    YamlBudget& budget_;
    YamlScalars scalars_;
    YamlDocument document_;
    std::vector<Open> open_;
    std::map<std::string, Built> anchors_;
    std::size_t nodes_ = 1;
    std::size_t by_alias_ = 0;
};

}  // namespace

/// Which child of the value a step leads to, and which of its lines that has; nothing: there is none.
static std::optional<std::pair<const json::value*, std::size_t>> child_of(const json::value& value, const Step& step) {
    using Child = std::optional<std::pair<const json::value*, std::size_t>>;
    return std::visit(base::overloaded{[&](std::size_t index) -> Child {
                                           const auto* items = value.if_array();
                                           if (items == nullptr || index >= items->size())
                                               return std::nullopt;
                                           return std::pair(&(*items)[index], index);
                                       },
                                       [&](const std::string& name) -> Child {
                                           const auto* members = value.if_object();
                                           const auto* member = members == nullptr ? nullptr : members->find(name);
                                           if (members == nullptr || member == members->end())
                                               return std::nullopt;
                                           return std::pair(&member->value(),
                                                            static_cast<std::size_t>(member - members->begin()));
                                       }},
                      step);
}

int YamlDocument::line_of(const std::vector<Step>& path) const {
    const json::value* at = &value;
    const YamlLines* lines_at = &lines;
    for (const Step& step : path) {
        const auto child = child_of(*at, step);
        if (!child)
            break;
        at = child->first;
        lines_at = &lines_at->children[child->second];
    }
    return lines_at->at.line;
}

tl::expected<std::optional<YamlDocument>, YamlError> parse_yaml_document(std::string_view text, YamlBudget& budget,
                                                                         int line, YamlScalars scalars) {
    try {
        return Builder(text, budget, line, scalars).read();
    } catch (const YamlUnusable& error) {
        return tl::unexpected(YamlError{error.place.line, error.place.column, std::string("YAML: ") + error.what()});
    }
}

tl::expected<std::vector<YamlDocument>, YamlError> parse_yaml(std::string_view text) {
    std::vector<YamlDocument> documents;
    YamlBudget budget;
    YamlStream stream(text);
    for (YamlPart part; stream.next(part);) {
        auto document = parse_yaml_document(part.text, budget, part.line);
        if (!document)
            return tl::unexpected(document.error());
        if (*document)
            documents.push_back(std::move(**document));
    }
    return documents;
}

}  // namespace api
