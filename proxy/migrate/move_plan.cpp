#include "proxy/migrate/move_plan.hpp"

#include <algorithm>

namespace proxy {
namespace {

bool is_wanted(const MovingNode& node, const MoveOptions& options) {
    return options.only.empty() || std::ranges::find(options.only, node.name) != options.only.end();
}

std::optional<std::string> unknown_node(const MoveView& view, const MoveOptions& options) {
    for (const std::string& name : options.only)
        if (std::ranges::find(view.nodes, name, &MovingNode::name) == view.nodes.end())
            return name;
    return std::nullopt;
}

/// What has to be done on this node to have podferry alone; nothing: it has.
std::optional<MoveStep> step_over(const MovingNode& node, const MoveView& view) {
    if (!node.moved)
        return SetLabel{node.name, moved_label, true};
    if (node.podferry != PodState::ready)
        return WaitFor{node.name, "podferry is Ready on " + node.name};
    if (!view.kube_proxy.there)
        return std::nullopt;
    if (!node.served && !view.kube_proxy.leaves_moved)
        return SetLabel{node.name, served_label, true};
    if (node.kube_proxy != PodState::none)
        return WaitFor{node.name, "kube-proxy has left " + node.name};
    return std::nullopt;
}

/// What has to be done on this node to have kube-proxy alone; nothing: it has.
std::optional<MoveStep> step_back(const MovingNode& node) {
    if (node.served)
        return SetLabel{node.name, served_label, false};
    if (node.moved && node.kube_proxy != PodState::ready)
        return WaitFor{node.name, "kube-proxy is Ready on " + node.name};
    if (node.moved)
        return SetLabel{node.name, moved_label, false};
    if (node.podferry != PodState::none)
        return WaitFor{node.name, "podferry has left " + node.name};
    return std::nullopt;
}

std::optional<MoveStep> refuse_over(const MoveView& view) {
    if (!view.podferry.there)
        return Refuse{
            "podferry's DaemonSet is not there: install the chart with migration.enabled=true first (or name it: "
            "--namespace, --daemonset)"};
    if (!view.podferry.wants_moved)
        return Refuse{
            "podferry's DaemonSet runs on all nodes at once: nothing is left to be moved one by one. With the chart's "
            "migration.enabled=true it waits for label podferry.io/moved. (Where podferry is Ready everywhere, delete "
            "kube-proxy's DaemonSet.)"};
    return std::nullopt;
}

std::optional<MoveStep> refuse_back(const MoveView& view) {
    if (!view.kube_proxy.there)
        return Refuse{
            "kube-proxy's DaemonSet is not there: put it back first (kubeadm: kubeadm init phase addon kube-proxy), "
            "or name it: --kube-proxy-namespace, --kube-proxy-daemonset"};
    if (view.kube_proxy.leaves_moved)
        return Refuse{
            "kube-proxy's DaemonSet leaves nodes with label podferry.io/moved, so it cannot start beside podferry: let "
            "its affinity name podferry.io/served instead"};
    if (view.podferry.there && !view.podferry.wants_moved)
        return Refuse{
            "podferry's DaemonSet runs on all nodes, whatever their labels: let kube-proxy start, then uninstall the "
            "chart (docs/operations.md, Moving from kube-proxy)"};
    return std::nullopt;
}

}  // namespace

MoveStep next_step(const MoveView& view, const MoveOptions& options) {
    const bool over = options.direction == Direction::to_podferry;
    if (const auto unknown = unknown_node(view, options))
        return Refuse{"the cluster has no node " + *unknown};
    if (auto refusal = over ? refuse_over(view) : refuse_back(view))
        return std::move(*refusal);
    const DaemonView& kube_proxy = view.kube_proxy;
    if (over && kube_proxy.there && !kube_proxy.leaves_served && !kube_proxy.leaves_moved)
        return ExceptServed{true};
    Moved end;
    for (const MovingNode& node : view.nodes) {
        if (!is_wanted(node, options))
            continue;
        const auto step = over ? step_over(node, view) : step_back(node);
        if (!step)
            continue;
        if (node.ready)
            return *step;
        end.skipped.push_back(node.name);
    }
    const bool any_served = std::ranges::any_of(view.nodes, &MovingNode::served);
    if (!over && kube_proxy.leaves_served && !any_served)
        return ExceptServed{false};
    return end;
}

}  // namespace proxy
