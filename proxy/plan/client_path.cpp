#include "proxy/plan/client_path.hpp"

#include <algorithm>

namespace proxy {
namespace {

using netlink::Element;
using netlink::Set;

class Kernel {
public:
    Kernel(const netlink::KernelState& state, const netlink::VirtualServer& front_end)
        : state_(state),
          front_end_(front_end),
          is_node_port_(state.elements.contains({Set::node_address, front_end.address})) {}

    /// Whether a set has the front end's address.
    bool has_address(Set set) const { return state_.elements.contains({set, front_end_.address}); }
    bool has(Set set) const { return find(set) != nullptr; }

    /// A packet to the address comes to IPVS.
    bool captures(bool is_own) const {
        return is_own || has(Set::external) || state_.routes.contains({front_end_.address});
    }
    bool refuses() const { return has(Set::refused) || (has_address(Set::virtual_address) && !has(Set::served)); }
    bool drops(Client client) const {
        return has(Set::dropped) || (client == Client::outside &&
                                     (has(Set::dropped_outside) || (is_node_port_ && has(Set::node_port_dropped))));
    }
    /// 0: none.
    std::uint32_t mark(Client client) const {
        const bool inside = client == Client::inside;
        const Element* found = find(inside ? Set::internal_mark : Set::outside_mark);
        if (found == nullptr && is_node_port_)
            found = find(inside ? Set::internal_node_port_mark : Set::outside_node_port_mark);
        return found == nullptr ? 0 : found->mark;
    }

private:
    /// The first one of the set, whatever its mark.
    const Element* find(Set set) const {
        const base::Address address = netlink::has_address(set) ? front_end_.address : base::Address();
        const auto found = state_.elements.lower_bound({set, address, front_end_.protocol, front_end_.port});
        const bool is_it = found != state_.elements.end() && found->set == set && found->address == address &&
                           found->protocol == front_end_.protocol && found->port == front_end_.port;
        return is_it ? &*found : nullptr;
    }

    const netlink::KernelState& state_;
    const netlink::VirtualServer& front_end_;
    bool is_node_port_;
};

}  // namespace

ClientPath path_of(const netlink::KernelState& kernel, bool is_own, const netlink::VirtualServer& front_end,
                   Client client) {
    const Kernel at(kernel, front_end);
    ClientPath path{Fate::absent, front_end, at.has(Set::firewalled)};
    if (!at.captures(is_own))
        return path;
    if (!at.has(Set::cluster)) {  // which passes the other sets by
        path.fate = at.refuses() ? Fate::refused : at.drops(client) ? Fate::dropped : Fate::absent;
        if (path.fate != Fate::absent)
            return path;
    }
    if (const std::uint32_t mark = at.mark(client); mark != 0)
        path.server = {front_end.address.is_v6() ? base::Address::any_v6() : base::Address(), netlink::Protocol::none,
                       0, mark};
    const auto server = kernel.virtual_servers.find(path.server);
    if (server == kernel.virtual_servers.end())
        return path;
    const auto& reals = server->second.real_servers;
    path.fate = std::any_of(reals.begin(), reals.end(), [](const auto& real) { return real.second > 0; })
                    ? Fate::carried
                    : Fate::refused;
    return path;
}

}  // namespace proxy
