#include "proxy/migrate/move_objects.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace proxy {
namespace {

namespace json = boost::json;

/// The value there; nullptr where a step of the way is missing or no object.
const json::value* at(const json::value& from, std::initializer_list<std::string_view> path) {
    const json::value* here = &from;
    for (const std::string_view key : path) {
        if (!here->is_object())
            return nullptr;
        here = here->get_object().if_contains(key);
        if (here == nullptr)
            return nullptr;
    }
    return here;
}

std::string text(const json::value* value) {
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

const json::array& list(const json::value* value) {
    static const json::array none;
    return value != nullptr && value->is_array() ? value->get_array() : none;
}

tl::expected<json::value, std::string> parse(std::string_view bytes) {
    boost::system::error_code error;
    json::value value = json::parse(bytes, error);
    if (error || !value.is_object())
        return tl::unexpected(std::string("the API server's answer is no JSON object"));
    return value;
}

bool is_requirement(const json::value& requirement, std::string_view key, std::string_view how) {
    return text(at(requirement, {"key"})) == key && text(at(requirement, {"operator"})) == how;
}

const json::array& terms_of(const json::value& affinity) {
    return list(at(affinity, {"nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"}));
}

/// Each of its terms has it (one of them is enough for a node, so one without it would let pods on).
bool requires_all(const json::value& affinity, std::string_view key, std::string_view how) {
    const json::array& terms = terms_of(affinity);
    return !terms.empty() && std::ranges::all_of(terms, [&](const json::value& term) {
        return std::ranges::any_of(list(at(term, {"matchExpressions"})),
                                   [&](const json::value& one) { return is_requirement(one, key, how); });
    });
}

bool is_true(const json::value& object, std::string_view condition) {
    return std::ranges::any_of(list(at(object, {"status", "conditions"})), [&](const json::value& one) {
        return text(at(one, {"type"})) == condition && text(at(one, {"status"})) == "True";
    });
}

template <class Item, class Read>
tl::expected<ReadPage<Item>, std::string> read_page(std::string_view bytes, Read read) {
    const auto document = parse(bytes);
    if (!document)
        return tl::unexpected(document.error());
    ReadPage<Item> page;
    for (const json::value& item : list(at(*document, {"items"})))
        page.items.push_back(read(item));
    page.next = text(at(*document, {"metadata", "continue"}));
    return page;
}

/// Objects within each other that lead to the value.
json::value within(const std::vector<std::string>& path, json::value value) {
    for (auto key = path.rbegin(); key != path.rend(); ++key) {
        json::object around;
        around[*key] = std::move(value);
        value = std::move(around);
    }
    return value;
}

json::value exception() {
    return json::object{{"key", served_label}, {"operator", "DoesNotExist"}};
}

/// The terms, each with the exception; one that has nothing else, where there were none.
json::array with_exception(const json::array& terms) {
    json::array changed;
    for (const json::value& term : terms) {
        json::object copy = term.is_object() ? term.get_object() : json::object();
        json::array expressions = list(at(term, {"matchExpressions"}));
        expressions.push_back(exception());
        copy["matchExpressions"] = std::move(expressions);
        changed.push_back(std::move(copy));
    }
    if (changed.empty())
        changed.push_back(json::object{{"matchExpressions", json::array{exception()}}});
    return changed;
}

/// The terms without the exception; of those that had nothing else none.
json::array without_exception(const json::array& terms) {
    json::array changed;
    for (const json::value& term : terms) {
        json::object copy = term.is_object() ? term.get_object() : json::object();
        json::array expressions;
        for (const json::value& one : list(at(term, {"matchExpressions"})))
            if (!is_requirement(one, served_label, "DoesNotExist"))
                expressions.push_back(one);
        if (expressions.empty())
            copy.erase("matchExpressions");
        else
            copy["matchExpressions"] = std::move(expressions);
        if (!copy.empty())
            changed.push_back(std::move(copy));
    }
    return changed;
}

}  // namespace

tl::expected<ReadDaemonSet, std::string> read_daemon_set(std::string_view bytes) {
    const auto document = parse(bytes);
    if (!document)
        return tl::unexpected(document.error());
    ReadDaemonSet result;
    result.view.there = true;
    const json::value* labels = at(*document, {"spec", "selector", "matchLabels"});
    if (labels == nullptr || !labels->is_object() || labels->get_object().empty())
        return tl::unexpected(std::string("its spec.selector.matchLabels is empty"));
    for (const auto& label : labels->get_object())
        result.selector += (result.selector.empty() ? "" : ",") + std::string(label.key()) + "=" + text(&label.value());
    const json::value* found = at(*document, {"spec", "template", "spec", "affinity"});
    const json::value affinity = found == nullptr ? json::value() : *found;
    result.affinity = json::serialize(affinity);
    result.version = text(at(*document, {"metadata", "resourceVersion"}));
    result.view.wants_moved = requires_all(affinity, moved_label, "Exists");
    result.view.leaves_moved = requires_all(affinity, moved_label, "DoesNotExist");
    result.view.leaves_served = requires_all(affinity, served_label, "DoesNotExist");
    return result;
}

tl::expected<ReadPage<MovingNode>, std::string> read_nodes(std::string_view bytes) {
    return read_page<MovingNode>(bytes, [](const json::value& item) {
        MovingNode node;
        node.name = text(at(item, {"metadata", "name"}));
        node.ready = is_true(item, "Ready");
        const json::value* labels = at(item, {"metadata", "labels"});
        node.moved = labels != nullptr && at(*labels, {moved_label}) != nullptr;
        node.served = labels != nullptr && at(*labels, {served_label}) != nullptr;
        return node;
    });
}

tl::expected<ReadPage<PodOnNode>, std::string> read_pods(std::string_view bytes) {
    return read_page<PodOnNode>(bytes, [](const json::value& item) {
        const bool leaving = at(item, {"metadata", "deletionTimestamp"}) != nullptr;
        return PodOnNode{text(at(item, {"spec", "nodeName"})),
                         is_true(item, "Ready") && !leaving ? PodState::ready : PodState::starting};
    });
}

std::string served_patch(const ReadDaemonSet& of, bool except) {
    const json::value now = json::parse(of.affinity);
    json::array terms = except ? with_exception(terms_of(now)) : without_exception(terms_of(now));
    json::value required;  // null: it is removed
    if (!terms.empty())
        required = json::object{{"nodeSelectorTerms", std::move(terms)}};
    json::value patch = within(
        {"spec", "template", "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"},
        std::move(required));
    patch.as_object()["metadata"] = within({"resourceVersion"}, json::value(of.version));
    return json::serialize(patch);
}

std::string label_patch(const SetLabel& label) {
    json::value value;  // null: it is removed
    if (label.set)
        value = "";
    return json::serialize(within({"metadata", "labels", label.label}, std::move(value)));
}

}  // namespace proxy
