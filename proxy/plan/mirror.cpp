#include "proxy/plan/mirror.hpp"

namespace proxy {

const netlink::RealServers* Mirror::real_servers(const netlink::VirtualServer& server) const {
    ++look_ups_;
    const auto found = virtual_servers.find(server);
    return found == virtual_servers.end() ? nullptr : &found->second.real_servers;
}

std::optional<int> Mirror::weight(const netlink::VirtualServer& server, const netlink::RealServer& real) const {
    const auto* reals = real_servers(server);
    if (reals == nullptr)
        return std::nullopt;
    const auto entry = reals->find(real);
    return entry == reals->end() ? std::nullopt : std::optional<int>(entry->second);
}

std::optional<std::uint32_t> Mirror::mark(const netlink::Element& carrier) const {
    ++look_ups_;
    const auto found = elements.lower_bound(carrier);
    const bool same = found != elements.end() && found->set == carrier.set && found->address == carrier.address &&
                      found->protocol == carrier.protocol && found->port == carrier.port;
    return same ? std::optional(found->mark) : std::nullopt;
}

}  // namespace proxy
