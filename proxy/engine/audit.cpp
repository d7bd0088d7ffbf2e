#include "proxy/engine/audit.hpp"

namespace proxy {
namespace {

using base::Address;
using netlink::Element;
using netlink::Part;
using netlink::Protocol;

/// The objects of `mirror` from `known` to `end` become those of `actual`.
template <class T>
void follow(std::set<T>& mirror, typename std::set<T>::iterator known, typename std::set<T>::iterator end,
            const std::set<T>& actual, std::vector<T>& touched) {
    auto here = actual.begin();
    while (known != end || here != actual.end()) {
        if (here == actual.end() || (known != end && *known < *here)) {
            touched.push_back(*known);
            known = mirror.erase(known);
        } else if (known == end || *here < *known) {
            touched.push_back(*here);
            mirror.insert(known, *here);
            ++here;
        } else {
            ++known;
            ++here;
        }
    }
}

/// The least element that one of that set and family can be.
Element least(netlink::Set set, bool ipv6) {
    return {set, ipv6 ? Address::any_v6() : Address(), Protocol::none, 0};
}

/// The least one that comes behind the part.
Element behind(const Part& part) {
    if (has_address(part.set) && !part.ipv6)
        return least(part.set, true);
    return least(static_cast<netlink::Set>(static_cast<std::uint8_t>(part.set) + 1), false);
}

}  // namespace

Touched follow(netlink::KernelState& mirror, const Part& part, const netlink::KernelState& actual,
               const std::function<bool(const netlink::VirtualServer&)>& is_ours) {
    Touched touched;
    if (part.kind == Part::Kind::routes)
        follow(mirror.routes, mirror.routes.begin(), mirror.routes.end(), actual.routes, touched.routes);
    if (part.kind == Part::Kind::elements)
        follow(mirror.elements, mirror.elements.lower_bound(least(part.set, part.ipv6)),
               mirror.elements.lower_bound(behind(part)), actual.elements, touched.elements);
    if (part.kind != Part::Kind::virtual_servers)
        return touched;
    auto& servers = mirror.virtual_servers;
    auto known = servers.begin();
    auto here = actual.virtual_servers.begin();
    while (known != servers.end() || here != actual.virtual_servers.end()) {
        if (here == actual.virtual_servers.end() || (known != servers.end() && known->first < here->first)) {
            touched.virtual_servers.push_back(known->first);
            known = servers.erase(known);
        } else if (known == servers.end() || here->first < known->first) {
            if (is_ours(here->first)) {
                touched.virtual_servers.push_back(here->first);
                servers.emplace_hint(known, here->first, netlink::VirtualServerState{here->second.settings, {}});
            }
            ++here;
        } else {
            if (known->second.settings != here->second.settings) {
                touched.virtual_servers.push_back(known->first);
                known->second.settings = here->second.settings;
            }
            ++known;
            ++here;
        }
    }
    return touched;
}

}  // namespace proxy
