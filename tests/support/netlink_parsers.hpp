// Whatever reads a message of the kernel, for tests that hand it broken ones.
#pragma once

#include <sys/socket.h>

#include <set>
#include <system_error>
#include <vector>

#include "netlink/base_chains.hpp"
#include "netlink/conntrack.hpp"
#include "netlink/host.hpp"
#include "netlink/input_passage.hpp"
#include "netlink/ipvs_config.hpp"
#include "netlink/ipvs_messages.hpp"
#include "netlink/monitor.hpp"
#include "netlink/policy_routes.hpp"
#include "netlink/routes.hpp"
#include "netlink/set_messages.hpp"
#include "netlink/socket.hpp"

namespace support {

/// Of sets whose keys are read in different ways.
inline std::vector<netlink::Element> one_of_each_shape() {
    using netlink::Set;
    std::vector<netlink::Element> shapes;
    for (const auto& [name, shape] : netlink::nft::all_sets())
        if (shape.set == Set::served || shape.set == Set::virtual_address || shape.set == Set::hairpin ||
            shape.set == Set::internal_mark || shape.set == Set::node_port || shape.set == Set::mark ||
            (shape.set == Set::allowed && shape.sources->length == 32))
            shapes.push_back(shape);
    return shapes;
}

/// Reads it as every kind of message; the messages' types are looked at by some.
inline void read_as_anything(nlmsghdr* message) {
    using namespace netlink;
    for (const bool v6 : {false, true}) {
        const VirtualServer server{v6 ? Address::any_v6() : Address(), Protocol::tcp, 80};
        ipvs::parse_destination(message, server);
        ipvs::parse_open_connections(message, server);
        const int family = v6 ? AF_INET6 : AF_INET;
        parse_host_address(message, family);
        parse_host_routes(message, family);
        parse_policy_rule(message, family, 159);
    }
    ipvs::parse_service(message);
    ipvs::parse_connections(message);
    ipvs::parse_config(message);
    ipvs::parse_table_size(message);
    parse_route(message, 159);
    conntrack::parse(message);
    static const auto shapes = one_of_each_shape();
    std::set<Element> elements;
    for (const Element& shape : shapes)
        nft::parse_elements(message, shape, elements);
    nft::parse_rule_comment(message);
    Notices notices;
    notices.hear_of_route(message, {159, 1, 1});
    notices.hear_of_nft(message, {159, 1, 1});
    notices.hear_of_family(message);
    nft::parse_input_chain(message);
    nft::drops_everything(message);
    Passage passage;
    nft::add_passage(message, passage);
    error_of(message);
    try {
        DumpState(message->nlmsg_seq).accept(message);
    } catch (const std::system_error&) {
        // what the kernel says instead of an answer
    }
}

}  // namespace support
