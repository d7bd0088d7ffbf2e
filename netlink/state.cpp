#include "netlink/state.hpp"

#include <array>
#include <utility>

namespace netlink {
namespace {

/// Both ordered maps side by side: on_wanted(key, value) for what only `desired` has, on_present for what only
/// `actual` has, on_both(key, desired, actual) for the rest.
template <class Map, class OnWanted, class OnPresent, class OnBoth>
void side_by_side(const Map& desired, const Map& actual, OnWanted on_wanted, OnPresent on_present, OnBoth on_both) {
    auto want = desired.begin();
    auto have = actual.begin();
    while (want != desired.end() || have != actual.end()) {
        if (have == actual.end() || (want != desired.end() && want->first < have->first)) {
            on_wanted(want->first, want->second);
            ++want;
        } else if (want == desired.end() || have->first < want->first) {
            on_present(have->first, have->second);
            ++have;
        } else {
            on_both(want->first, want->second, have->second);
            ++want;
            ++have;
        }
    }
}

/// What is new comes in order at a start: then its place is the end, which costs no search.
struct Advance {
    KernelState& state;

    void operator()(const AddVirtualServer& c) const {
        state.virtual_servers.insert_or_assign(state.virtual_servers.end(), c.server,
                                               VirtualServerState{c.settings, {}});
    }
    void operator()(const EditVirtualServer& c) const { state.virtual_servers[c.server].settings = c.settings; }
    void operator()(const DeleteVirtualServer& c) const { state.virtual_servers.erase(c.server); }
    void operator()(const AddRealServer& c) const {
        RealServers& reals = state.virtual_servers[c.server].real_servers;
        reals.insert_or_assign(reals.end(), c.real, c.weight);
    }
    void operator()(const EditRealServer& c) const { state.virtual_servers[c.server].real_servers[c.real] = c.weight; }
    void operator()(const DeleteRealServer& c) const { state.virtual_servers[c.server].real_servers.erase(c.real); }
    void operator()(const AddRoute& c) const { state.routes.insert(state.routes.end(), c.route); }
    void operator()(const DeleteRoute& c) const { state.routes.erase(c.route); }
    void operator()(const AddElement& c) const { state.elements.insert(state.elements.end(), c.element); }
    void operator()(const DeleteElement& c) const { state.elements.erase(c.element); }
    void operator()(const WithdrawElement& c) const { state.elements.erase(c.element); }
};

}  // namespace

void diff_virtual_server(const VirtualServer& key, const VirtualServerState* desired, const VirtualServerState* actual,
                         std::vector<Change>& changes) {
    if (desired == nullptr) {
        if (actual != nullptr)
            changes.emplace_back(DeleteVirtualServer{key});
        return;
    }
    static const RealServers none;
    if (actual == nullptr)
        changes.emplace_back(AddVirtualServer{key, desired->settings});
    else if (desired->settings != actual->settings)
        changes.emplace_back(EditVirtualServer{key, desired->settings});
    side_by_side(
        desired->real_servers, actual == nullptr ? none : actual->real_servers,
        [&](const RealServer& real, int weight) { changes.emplace_back(AddRealServer{key, real, weight}); },
        [&](const RealServer& real, int) { changes.emplace_back(DeleteRealServer{key, real}); },
        [&](const RealServer& real, int want, int have) {
            if (want != have)
                changes.emplace_back(EditRealServer{key, real, want});
        });
}

/// A change's place in the safe order is that of its alternative in Change; but nothing is led to a virtual server
/// that is not there yet.
std::size_t rank_of(const Change& change) {
    if (const auto* added = std::get_if<AddElement>(&change); added != nullptr && captures(added->element.set))
        return Change(AddRoute{}).index();
    if (const auto* deleted = std::get_if<DeleteElement>(&change); deleted != nullptr && captures(deleted->element.set))
        return Change(DeleteRoute{}).index();
    return change.index();
}

/// A counting sort by rank, stable. In place: at a start these are the
/// largest part of the memory.
void order(std::vector<Change>& changes) {
    std::array<std::uint32_t, std::variant_size_v<Change> + 1> starts{};
    for (const Change& change : changes)
        ++starts[rank_of(change) + 1];
    for (std::size_t step = 1; step < starts.size(); ++step)
        starts[step] += starts[step - 1];
    std::vector<std::uint32_t> places(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i)
        places[i] = starts[rank_of(changes[i])]++;
    for (std::size_t i = 0; i < changes.size(); ++i)
        while (places[i] != i) {
            std::swap(changes[i], changes[places[i]]);
            std::swap(places[i], places[places[i]]);
        }
}

void advance(KernelState& state, const Change& change) {
    std::visit(Advance{state}, change);
}

}  // namespace netlink
