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

}  // namespace

std::vector<HostAddress> host_addresses() {
    std::vector<HostAddress> found;
    for (const int family : {AF_INET, AF_INET6})
        visit_dump<ifaddrmsg>(RTM_GETADDR, family, [&](const ifaddrmsg& body, nlattr** attributes) {
            // IFA_LOCAL is the address of a point-to-point link's own end; IPv6 has only IFA_ADDRESS.
            nlattr* address = attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
            if (address != nullptr)
                found.push_back({address_from(address).to_asio(), body.ifa_prefixlen, interface_name(body.ifa_index)});
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
            if (attributes[RTA_OIF] != nullptr)
                route.interface = interface_name(nla_get_u32(attributes[RTA_OIF]));
            found.push_back(route);
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
