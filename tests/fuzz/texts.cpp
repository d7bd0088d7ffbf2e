// Short texts from outside: what /proc has of IPVS, connection tracking and processes, what modprobe goes by, lists of
// ports and durations, kernel versions, prefixes, users, the state file, and where a probe goes. No crash; what is
// understood means the same when it is written and read again.
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "base/go_duration.hpp"
#include "base/prefix.hpp"
#include "health/checks/http_target.hpp"
#include "netlink/ipvs_connections.hpp"
#include "netlink/ipvs_listing.hpp"
#include "netlink/kernel_modules.hpp"
#include "netlink/sysctl.hpp"
#include "proxy/host/limits.hpp"
#include "proxy/host/namespace_lock.hpp"
#include "proxy/host/port_set.hpp"
#include "proxy/host/privileges.hpp"
#include "proxy/plan/allocate.hpp"
#include "proxy/sync/tracking_drops.hpp"

namespace {

void expect(bool good, const char* what) {
    if (good)
        return;
    std::fprintf(stderr, "%s: not the same when it is read again\n", what);
    std::abort();
}

void read_listing(const std::string& text) {
    std::uint64_t connections = 0;
    netlink::IpvsListing listing(std::make_unique<std::istringstream>(text), connections);
    while (!listing.next(2).empty()) {
    }
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        netlink::ipvs::parse_connection(line);
}

void read_state(const std::string& text) {
    if (const auto ports = proxy::parse_ports(text))
        expect(proxy::parse_ports(proxy::to_string(*ports)) == ports, "ports");
    if (const auto prefix = base::parse_prefix(text))
        expect(base::parse_prefix(base::to_string(*prefix)) == prefix, "prefix");
    if (const auto record = proxy::parse_reservation(text)) {
        expect(proxy::parse_reservation(proxy::to_text(*record)) == record, "reservation");
        proxy::released(*record, record->boot, record->left);
    }
    if (const auto choices = proxy::choices_from_json(text)) {
        const auto again = proxy::choices_from_json(proxy::to_json(*choices));
        expect(again && *again == *choices, "choices");
    }
    base::parse_go_duration(text);
    proxy::parse_kernel_version(text);
    proxy::parse_user(text);
}

void read_host(const std::string& text) {
    proxy::parse_tracking_drops(text);
    proxy::administers_network(text);
    netlink::option_value(text, "conn_tab_bits");
    for (const auto fit : {netlink::Sysctl::Fit::exactly, netlink::Sysctl::Fit::at_least})
        netlink::is_met({"net.ipv4.vs.conntrack", "1", "", fit}, text);
}

void read_targets(const std::string& text) {
    health::request_target(text);
    const health::HttpUrl base{false, "10.1.0.11", "8080", "/healthz"};
    if (const auto url = health::resolve_location(base, text))
        health::to_string(*url);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    read_listing(text);
    read_state(text);
    read_host(text);
    read_targets(text);
    return 0;
}
