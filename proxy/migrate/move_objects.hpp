// What moving reads of the API's answers, and the patches that it sends. Pure: texts in JSON in, values and texts out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/migrate/move_plan.hpp"

namespace proxy {

/// A DaemonSet: what its pods want of a node, and how they are found.
struct ReadDaemonSet {
    DaemonView view;
    std::string selector;  ///< of its pods, as a query: "k8s-app=kube-proxy"
    std::string affinity;  ///< of its template, JSON; "null": none
    std::string version;   ///< metadata.resourceVersion
};
/// The error is one sentence.
tl::expected<ReadDaemonSet, std::string> read_daemon_set(std::string_view json);

/// One page of a list.
template <class Item>
struct ReadPage {
    std::vector<Item> items;
    std::string next;  ///< what `continue` is to be for the next page; empty: this is the last one
};
tl::expected<ReadPage<MovingNode>, std::string> read_nodes(std::string_view json);

struct PodOnNode {
    std::string node;
    PodState state = PodState::none;
};
tl::expected<ReadPage<PodOnNode>, std::string> read_pods(std::string_view json);

/// A merge patch of a DaemonSet, after which its pods leave nodes that have the label (`except`), or do not care.
/// Whatever else its affinity asks for stays.
/// Refused by the server when somebody else has changed it since.
std::string served_patch(const ReadDaemonSet& of, bool except);

/// A merge patch of a Node.
std::string label_patch(const SetLabel& label);

}  // namespace proxy
