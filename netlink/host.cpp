#include "netlink/host.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "netlink/socket.hpp"
#include "netlink/sysctl.hpp"

namespace netlink {
namespace {

std::string interface_name(unsigned index) {
    char name[IF_NAMESIZE] = {};
    return ::if_indextoname(index, name) == nullptr ? "" : name;
}

/// A dump whose answer has `Body` before its attributes.
template <class Body, class Visit>
void visit_dump(int type, int family, Visit visit) {
    Socket socket(NETLINK_ROUTE);
    Body body{};
    *reinterpret_cast<unsigned char*>(&body) = static_cast<unsigned char>(family);  // the first byte of each of them
    Message message;
    nlmsg_put(message.get(), 0, 0, type, 0, NLM_F_DUMP);
    nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
    auto answer = socket.dump(message);
    for_each_message(answer, [&](nlmsghdr* header) {
        nlattr* attributes[64] = {};
        // A kernel without IPv6 answers a question for IPv6 with what there is of all families.
        const bool asked_for = *static_cast<const unsigned char*>(nlmsg_data(header)) == family;
        if (asked_for && nlmsg_parse(header, sizeof(Body), attributes, 63, nullptr) >= 0)
            visit(*static_cast<const Body*>(nlmsg_data(header)), attributes);
    });
}

/// A secondary address of IPv4 has the same bit as a temporary one of IPv6.
bool is_passing(const ifaddrmsg& body, nlattr** attributes) {
    constexpr std::uint32_t unfit = IFA_F_TEMPORARY | IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_DADFAILED;
    std::uint32_t flags = body.ifa_flags;
    if (attributes[IFA_FLAGS] != nullptr && nla_len(attributes[IFA_FLAGS]) >= 4)
        flags = nla_get_u32(attributes[IFA_FLAGS]);
    return body.ifa_family == AF_INET6 && (flags & unfit) != 0;
}

/// Of all next hops; 0 for a route that has none.
std::vector<unsigned> interfaces_of(nlattr** attributes) {
    if (attributes[RTA_MULTIPATH] == nullptr)
        return {attributes[RTA_OIF] == nullptr ? 0 : nla_get_u32(attributes[RTA_OIF])};
    std::vector<unsigned> found;
    const auto* hop = static_cast<const rtnexthop*>(nla_data(attributes[RTA_MULTIPATH]));
    int left = nla_len(attributes[RTA_MULTIPATH]);
    while (left >= static_cast<int>(sizeof(rtnexthop)) && hop->rtnh_len >= sizeof(rtnexthop) && hop->rtnh_len <= left) {
        found.push_back(static_cast<unsigned>(hop->rtnh_ifindex));
        left -= static_cast<int>(RTNH_ALIGN(hop->rtnh_len));
        hop = RTNH_NEXT(hop);
    }
    return found;
}

}  // namespace

std::vector<HostAddress> host_addresses() {
    std::vector<HostAddress> found;
    for (const int family : {AF_INET, AF_INET6})
        visit_dump<ifaddrmsg>(RTM_GETADDR, family, [&](const ifaddrmsg& body, nlattr** attributes) {
            // IFA_LOCAL is the address of a point-to-point link's own end; IPv6 has only IFA_ADDRESS.
            nlattr* address = attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
            if (address != nullptr)
                found.push_back({address_from(address).to_asio(), body.ifa_prefixlen, interface_name(body.ifa_index),
                                 is_passing(body, attributes)});
        });
    return found;
}

std::vector<HostRoute> host_routes() {
    std::vector<HostRoute> found;
    for (const int family : {AF_INET, AF_INET6})
        visit_dump<rtmsg>(RTM_GETROUTE, family, [&](const rtmsg& body, nlattr** attributes) {
            if (body.rtm_table != RT_TABLE_MAIN || body.rtm_type != RTN_UNICAST)
                return;
            HostRoute route;
            if (attributes[RTA_DST] != nullptr)
                route.destination = address_from(attributes[RTA_DST]).to_asio();
            else if (family == AF_INET6)
                route.destination = boost::asio::ip::address_v6::any();
            else
                route.destination = boost::asio::ip::address_v4::any();
            route.prefix_length = body.rtm_dst_len;
            if (attributes[RTA_PRIORITY] != nullptr)
                route.metric = nla_get_u32(attributes[RTA_PRIORITY]);
            if (attributes[RTA_PREFSRC] != nullptr)
                route.source = address_from(attributes[RTA_PREFSRC]).to_asio();
            for (const unsigned interface : interfaces_of(attributes)) {
                route.interface = interface_name(interface);
                found.push_back(route);
            }
        });
    return found;
}

/// Connecting a UDP socket chooses the source address and sends nothing.
std::optional<boost::asio::ip::address> default_source(bool v6) {
    using boost::asio::ip::udp;
    boost::asio::io_context context;
    const udp::endpoint somewhere(boost::asio::ip::make_address(v6 ? "2001:db8::1" : "192.0.2.1"), 9);
    udp::socket socket(context);
    boost::system::error_code error;
    socket.open(somewhere.protocol(), error);
    if (!error)
        socket.connect(somewhere, error);
    if (error)
        return std::nullopt;
    auto source = socket.local_endpoint(error).address();
    if (error || source.is_loopback() || (source.is_v6() && source.to_v6().is_link_local()))
        return std::nullopt;
    return source;
}

bool ipv6_is_on(const std::string& interface) {
    const auto off = [](const std::string& name) { return read_sysctl("net.ipv6.conf." + name + ".disable_ipv6"); };
    const std::string here = off(interface);
    return (here.empty() ? off("default") : here) == "0";
}

}  // namespace netlink
