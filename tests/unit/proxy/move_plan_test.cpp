// Moving between kube-proxy and podferry: what comes next, and that a node is never without a service proxy.
#include <catch2/catch.hpp>

#include "proxy/migrate/move_plan.hpp"

using namespace proxy;

namespace {

constexpr auto none = PodState::none;
constexpr auto starting = PodState::starting;
constexpr auto ready = PodState::ready;

/// As the chart and kubeadm make them.
MoveView before() {
    MoveView view;
    view.podferry = {true, true, false, false};
    view.kube_proxy = {true, false, false, false};
    view.nodes = {{"n1", true, false, false, none, ready}, {"n2", true, false, false, none, ready}};
    return view;
}

std::string words(const MoveStep& step) {
    if (const auto* refusal = std::get_if<Refuse>(&step))
        return "refuse: " + refusal->why.substr(0, 30);
    if (const auto* served = std::get_if<ExceptServed>(&step))
        return served->except ? "except served" : "no exception";
    if (const auto* label = std::get_if<SetLabel>(&step))
        return label->node + (label->set ? " +" : " -") + label->label;
    if (const auto* wait = std::get_if<WaitFor>(&step))
        return "wait: " + wait->what;
    std::string skipped;
    for (const std::string& name : std::get<Moved>(step).skipped)
        skipped += " " + name;
    return "done" + (skipped.empty() ? "" : " but" + skipped);
}

/// What both DaemonSets and the kubelets do in a moment: pods come where they are wanted, and go where not.
void turn(MoveView& view) {
    for (MovingNode& node : view.nodes) {
        if (!node.ready)
            continue;
        const auto toward = [](PodState state, bool wanted) {
            if (!wanted)
                return none;
            return state == none ? starting : ready;
        };
        node.podferry = toward(node.podferry, view.podferry.there && (node.moved || !view.podferry.wants_moved));
        const bool leaves =
            (view.kube_proxy.leaves_served && node.served) || (view.kube_proxy.leaves_moved && node.moved);
        node.kube_proxy = toward(node.kube_proxy, view.kube_proxy.there && !leaves);
    }
}

void take(MoveView& view, const MoveStep& step) {
    if (const auto* served = std::get_if<ExceptServed>(&step))
        view.kube_proxy.leaves_served = served->except;
    if (const auto* label = std::get_if<SetLabel>(&step))
        for (MovingNode& node : view.nodes)
            if (node.name == label->node)
                (label->label == moved_label ? node.moved : node.served) = label->set;
}

bool has_proxy(const MovingNode& node) {
    return node.podferry == ready || node.kube_proxy == ready;
}

/// All steps until there are no more; each node has a service proxy all the time.
std::vector<std::string> steps(MoveView& view, const MoveOptions& options) {
    std::vector<std::string> taken;
    for (int count = 0; count < 1000; ++count) {
        const MoveStep step = next_step(view, options);
        if (taken.empty() || taken.back() != words(step))
            taken.push_back(words(step));
        if (std::holds_alternative<Moved>(step) || std::holds_alternative<Refuse>(step))
            return taken;
        take(view, step);
        turn(view);
        for (const MovingNode& node : view.nodes)
            REQUIRE((has_proxy(node) || !node.ready));
    }
    FAIL("it has no end");
    return taken;
}

}  // namespace

TEST_CASE("a cluster is moved node by node, and back", "[migrate]") {
    MoveView view = before();
    CHECK(steps(view, {}) == std::vector<std::string>{
                                 "except served",
                                 "n1 +podferry.io/moved",
                                 "wait: podferry is Ready on n1",
                                 "n1 +podferry.io/served",
                                 "n2 +podferry.io/moved",
                                 "wait: podferry is Ready on n2",
                                 "n2 +podferry.io/served",
                                 "done",
                             });
    for (const MovingNode& node : view.nodes)
        CHECK((node.podferry == ready && node.kube_proxy == none));
    CHECK(steps(view, {Direction::to_kube_proxy, {}}) == std::vector<std::string>{
                                                             "n1 -podferry.io/served",
                                                             "wait: kube-proxy is Ready on n1",
                                                             "n1 -podferry.io/moved",
                                                             "n2 -podferry.io/served",
                                                             "wait: kube-proxy is Ready on n2",
                                                             "n2 -podferry.io/moved",
                                                             "no exception",
                                                             "done",
                                                         });
    for (const MovingNode& node : view.nodes)
        CHECK((node.podferry == none && node.kube_proxy == ready));
}

TEST_CASE("whoever was stopped anywhere goes on, over or back", "[migrate]") {
    const auto first = GENERATE(Direction::to_podferry, Direction::to_kube_proxy);
    const auto then = GENERATE(Direction::to_podferry, Direction::to_kube_proxy);
    const int stopped_after = GENERATE(range(0, 14));
    MoveView view = before();
    if (first == Direction::to_kube_proxy)
        steps(view, {});
    for (int count = 0; count < stopped_after; ++count) {
        const MoveStep step = next_step(view, {first, {}});
        take(view, step);
        turn(view);
    }
    CHECK(steps(view, {then, {}}).back() == "done");
    for (const MovingNode& node : view.nodes)
        CHECK((then == Direction::to_podferry ? node.podferry : node.kube_proxy) == ready);
}

TEST_CASE("one node may be tried first", "[migrate]") {
    MoveView view = before();
    const auto taken = steps(view, {Direction::to_podferry, {"n2"}});
    CHECK(taken == std::vector<std::string>{"except served", "n2 +podferry.io/moved", "wait: podferry is Ready on n2",
                                            "n2 +podferry.io/served", "done"});
    CHECK(view.nodes[0].kube_proxy == ready);
    CHECK(words(next_step(view, {Direction::to_podferry, {"n3"}})) == "refuse: the cluster has no node n3");
}

TEST_CASE("a node that is not Ready holds up nobody, and nothing is changed there", "[migrate]") {
    MoveView view = before();
    view.nodes[0].ready = false;
    CHECK(steps(view, {}).back() == "done but n1");
    CHECK_FALSE(view.nodes[0].moved);
    CHECK(view.nodes[1].podferry == ready);
}

TEST_CASE("what moving needs first is said", "[migrate]") {
    MoveView view = before();
    SECTION("podferry is not installed") {
        view.podferry.there = false;
        CHECK(words(next_step(view, {})) == "refuse: podferry's DaemonSet is not th");
    }
    SECTION("podferry runs everywhere already") {
        view.podferry.wants_moved = false;
        CHECK(words(next_step(view, {})) == "refuse: podferry's DaemonSet runs on a");
        CHECK(words(next_step(view, {Direction::to_kube_proxy, {}})) == "refuse: podferry's DaemonSet runs on a");
    }
    SECTION("kube-proxy is gone: nodes are moved all the same, and none goes back") {
        view.kube_proxy.there = false;
        view.nodes[0].kube_proxy = view.nodes[1].kube_proxy = none;
        CHECK(words(next_step(view, {})) == "n1 +podferry.io/moved");
        CHECK(words(next_step(view, {Direction::to_kube_proxy, {}})) == "refuse: kube-proxy's DaemonSet is not ");
    }
    SECTION("kube-proxy was told by hand to leave moved nodes") {
        view.kube_proxy.leaves_moved = true;
        CHECK(words(next_step(view, {})) == "n1 +podferry.io/moved");
        CHECK(words(next_step(view, {Direction::to_kube_proxy, {}})) == "refuse: kube-proxy's DaemonSet leaves ");
    }
}
