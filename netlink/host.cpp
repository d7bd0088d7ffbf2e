#include "netlink/host.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstring>
#include <span>
#include <utility>

#include "base/asio_address.hpp"
#include "netlink/socket.hpp"
#include "netlink/sysctl.hpp"

namespace netlink {
namespace {

std::string interface_name(unsigned index) {
    char name[IF_NAMESIZE] = {};
    return ::if_indextoname(index, name) == nullptr ? "" : name;
}

/// A dump of that type, of both families.
template <class Body, class Visit>
void visit_dump(int type, Visit visit) {
    for (const int family : {AF_INET, AF_INET6}) {
        Socket socket(NETLINK_ROUTE);
        Body body{};
        *reinterpret_cast<unsigned char*>(&body) =
            static_cast<unsigned char>(family);  // the first byte of each of them
        Message message;
        nlmsg_put(message.get(), 0, 0, type, 0, NLM_F_DUMP);
        nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
        auto answer = socket.dump(message);
        for_each_message(answer, [&](nlmsghdr* header) { visit(header, family); });
    }
}

/// A secondary address of IPv4 has the same bit as a temporary one of IPv6.
bool is_passing(const ifaddrmsg& body, const nlattr* longer_flags) {
    constexpr std::uint32_t unfit = IFA_F_TEMPORARY | IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_DADFAILED;
    const std::uint32_t flags = value_of<std::uint32_t>(longer_flags).value_or(body.ifa_flags);
    return body.ifa_family == AF_INET6 && (flags & unfit) != 0;
}

/// The interfaces of all next hops; 0 for a route that has none.
std::vector<unsigned> interfaces_of(const nlattr* only, const nlattr* several) {
    if (several == nullptr)
        return {value_of<std::uint32_t>(only).value_or(0)};
    std::vector<unsigned> found;
    std::span<const std::uint8_t> hops = bytes_of(several);
    rtnexthop hop{};
    while (hops.size() >= sizeof(hop)) {
        std::memcpy(&hop, hops.data(), sizeof(hop));
        if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > hops.size())
            break;
        found.push_back(static_cast<unsigned>(hop.rtnh_ifindex));
        hops = hops.subspan(std::min(hops.size(), static_cast<std::size_t>(RTNH_ALIGN(hop.rtnh_len))));
    }
    return found;
}

}  // namespace

std::optional<HostAddress> parse_host_address(nlmsghdr* header, int family) {
    const auto body = body_of<ifaddrmsg>(header);
    const auto attributes = attributes_of<ifaddrmsg, IFA_MAX>(header);
    // A kernel without IPv6 answers a question for IPv6 with what there is of all families.
    if (header->nlmsg_type != RTM_NEWADDR || !body || !attributes || body->ifa_family != family)
        return std::nullopt;
    // IFA_LOCAL is the address of a point-to-point link's own end; IPv6 has only IFA_ADDRESS.
    const nlattr* local = (*attributes)[IFA_LOCAL];
    const auto address = address_of(local != nullptr ? local : (*attributes)[IFA_ADDRESS]);
    if (!address || family_of(*address) != family)
        return std::nullopt;
    return HostAddress{*address, body->ifa_prefixlen, interface_name(body->ifa_index),
                       is_passing(*body, (*attributes)[IFA_FLAGS])};
}

std::vector<HostRoute> parse_host_routes(nlmsghdr* header, int family) {
    const auto body = body_of<rtmsg>(header);
    const auto attributes = attributes_of<rtmsg, RTA_MAX>(header);
    if (header->nlmsg_type != RTM_NEWROUTE || !body || !attributes || body->rtm_family != family ||
        body->rtm_table != RT_TABLE_MAIN || body->rtm_type != RTN_UNICAST)
        return {};
    const nlattr* to = (*attributes)[RTA_DST];
    const auto destination =
        to == nullptr ? std::optional(family == AF_INET6 ? Address::any_v6() : Address()) : address_of(to);
    if (!destination || family_of(*destination) != family)
        return {};
    HostRoute route;
    route.destination = {*destination, body->rtm_dst_len};
    route.metric = value_of<std::uint32_t>((*attributes)[RTA_PRIORITY]).value_or(0);
    route.source = address_of((*attributes)[RTA_PREFSRC]);
    std::vector<HostRoute> routes;
    for (const unsigned interface : interfaces_of((*attributes)[RTA_OIF], (*attributes)[RTA_MULTIPATH])) {
        route.interface = interface_name(interface);
        routes.push_back(route);
    }
    return routes;
}

std::vector<HostAddress> host_addresses() {
    std::vector<HostAddress> found;
    visit_dump<ifaddrmsg>(RTM_GETADDR, [&](nlmsghdr* header, int family) {
        if (const auto address = parse_host_address(header, family))
            found.push_back(*address);
    });
    return found;
}

std::vector<HostRoute> host_routes() {
    std::vector<HostRoute> found;
    visit_dump<rtmsg>(RTM_GETROUTE, [&](nlmsghdr* header, int family) {
        for (HostRoute& route : parse_host_routes(header, family))
            found.push_back(std::move(route));
    });
    return found;
}

/// Connecting a UDP socket chooses the source address and sends nothing.
std::optional<Address> default_source(bool v6) {
    using boost::asio::ip::udp;
    boost::asio::io_context context;
    const udp::endpoint somewhere(base::to_asio(base::make_address(v6 ? "2001:db8::1" : "192.0.2.1")), 9);
    udp::socket socket(context);
    boost::system::error_code error;
    socket.open(somewhere.protocol(), error);
    if (!error)
        socket.connect(somewhere, error);
    if (error)
        return std::nullopt;
    const Address source = base::from_asio(socket.local_endpoint(error).address());
    if (error || source.is_loopback() || (source.is_v6() && source.is_link_local()))
        return std::nullopt;
    return source;
}

bool ipv6_is_on(const std::string& interface) {
    const auto off = [](const std::string& name) { return read_sysctl("net.ipv6.conf." + name + ".disable_ipv6"); };
    const std::string here = off(interface);
    return (here.empty() ? off("default") : here) == "0";
}

}  // namespace netlink
