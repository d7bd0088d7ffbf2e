#include "proxy/engine/sweep.hpp"

#include <utility>

namespace proxy {
namespace {

/// The key of a set's object, or of a map's entry.
template <class T>
const T& key(const T& object) {
    return object;
}
template <class Key, class T>
const Key& key(const std::pair<const Key, T>& entry) {
    return entry.first;
}

/// Shows `look` the next `size` keys behind `last`; false when these were the last ones.
template <class Objects, class Key, class Look>
bool walk(const Objects& objects, std::optional<Key>& last, std::size_t size, Look look) {
    auto next = last ? objects.upper_bound(*last) : objects.begin();
    for (; next != objects.end() && size > 0; ++next, --size) {
        look(key(*next));
        if (size == 1)
            last = key(*next);
    }
    if (next != objects.end())
        return true;
    last.reset();
    return false;
}

}  // namespace

std::optional<Touched> Sweep::next(const WishList& wanted, const netlink::KernelState& actual, std::size_t size) {
    Touched slice;
    const auto leads = [&](const netlink::Element& element) {
        return netlink::captures(element.set) || goes_first(element, wanted);
    };
    const auto walk_elements = [&](bool leading) {
        return walk(actual.elements, element_, size, [&](const netlink::Element& element) {
            if (leads(element) == leading)
                slice.elements.push_back(element);
        });
    };
    const auto walk_phase = [&] {
        switch (phase_) {
            case Phase::leading_elements:
                return walk_elements(true);
            case Phase::routes:
                return walk(actual.routes, route_, size,
                            [&](const netlink::LocalRoute& route) { slice.routes.push_back(route); });
            case Phase::virtual_servers:
                return walk(actual.virtual_servers, server_, size,
                            [&](const netlink::VirtualServer& server) { slice.virtual_servers.push_back(server); });
            case Phase::other_elements:
                return walk_elements(false);
            case Phase::done:
                break;
        }
        return false;
    };
    if (phase_ == Phase::done)
        return std::nullopt;
    if (!walk_phase())
        phase_ = static_cast<Phase>(static_cast<int>(phase_) + 1);
    return slice;
}

}  // namespace proxy
