// How a cluster is moved from kube-proxy to podferry, and back: one node after the other, so that each has a service
// proxy all the time. Two labels of a Node lead both DaemonSets: podferry's wants `podferry.io/moved`, kube-proxy's
// leaves where `podferry.io/served` is. All that is known is in the cluster: whoever is stopped halfway goes on where
// he was.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace proxy {

inline constexpr const char* moved_label = "podferry.io/moved";
inline constexpr const char* served_label = "podferry.io/served";

/// A DaemonSet, as far as moving has to know it.
struct DaemonView {
    bool there = false;
    bool wants_moved = false;    ///< its pods run only where `podferry.io/moved` is
    bool leaves_moved = false;   ///< they leave where `podferry.io/moved` is (docs/operations.md, by hand)
    bool leaves_served = false;  ///< they leave where `podferry.io/served` is
};

/// One of its pods on a node.
enum class PodState { none, starting, ready };

struct MovingNode {
    std::string name;
    bool ready = true;  ///< condition Ready of the Node: elsewhere no pod starts
    bool moved = false;
    bool served = false;
    PodState podferry = PodState::none;
    PodState kube_proxy = PodState::none;
};

struct MoveView {
    DaemonView podferry;
    DaemonView kube_proxy;
    std::vector<MovingNode> nodes;  ///< by name
};

enum class Direction { to_podferry, to_kube_proxy };

struct MoveOptions {
    Direction direction = Direction::to_podferry;
    std::vector<std::string> only;  ///< names of nodes; empty: all
};

/// Nothing can be done; the text says what to do first.
struct Refuse {
    std::string why;
};
/// kube-proxy's DaemonSet is to leave nodes with `podferry.io/served`, or to know nothing of it any more.
struct ExceptServed {
    bool except = true;
};
struct SetLabel {
    std::string node;
    std::string label;
    bool set = true;  ///< false: it is removed
};
struct WaitFor {
    std::string node;
    std::string what;  ///< "podferry is Ready on n1"
};
struct Moved {
    std::vector<std::string> skipped;  ///< nodes that are not Ready; nothing has been changed there
};
using MoveStep = std::variant<Refuse, ExceptServed, SetLabel, WaitFor, Moved>;

/// What to do next. Whatever it says, a node that has had a service proxy still has one.
MoveStep next_step(const MoveView& view, const MoveOptions& options);

}  // namespace proxy
