// The configuration of `podferry node`: its values, reading it strictly, printing the effective one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/prefix.hpp"
#include "netlink/ruleset.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

using base::Address;

struct PortRange {
    std::uint16_t first = 30000;
    std::uint16_t last = 32767;  ///< inclusive
    bool operator==(const PortRange&) const = default;
};

/// "ADDRESS:PORT"; an empty string switches the listener off.
struct Listen {
    Address address;
    std::uint16_t port = 0;
    std::string zone = {};    ///< "%eth0", for a link-local address of IPv6
    bool on_node_ip = false;  ///< on each of node_ip, in the place of the address (listens_of())
    bool operator==(const Listen&) const = default;
};

/// Which addresses Services may claim by spec.externalIPs.
struct ExternalIps {
    bool all = true;
    std::vector<base::Prefix> networks;  ///< when not all; none: no address at all
    bool operator==(const ExternalIps&) const = default;
};

/// How pods are told from other clients: kube-proxy's detectLocalMode.
enum class DetectLocalMode : std::uint8_t { cluster_cidr, node_cidr, bridge_interface, interface_name_prefix };

/// What podferry's own checks may do to endpoints that the API calls ready.
enum class CheckMode : std::uint8_t { off, observe, enforce };
/// "off"
std::string_view word(CheckMode mode);

/// Every setting's meaning, default, unit and range stands in config.cpp's table, which also prints them.
struct Config {
    std::vector<base::Prefix> service_cluster_ip_range;
    std::vector<base::Prefix> network_cidr;
    DetectLocalMode detect_local_mode = DetectLocalMode::cluster_cidr;
    std::string pod_bridge_interface;
    std::string pod_interface_name_prefix;
    PortRange service_node_port_range;
    std::string node_name;
    std::vector<Address> node_ip;
    std::vector<base::Prefix> node_port_addresses;
    ExternalIps external_ips;
    bool allow_range_overlap = false;
    bool masquerade_all = false;
    std::string scheduler = "rr";
    std::string kubeconfig;
    std::vector<std::string> api_servers;
    std::vector<std::string> api_server_files;
    std::vector<std::string> api_local_proxies;
    std::chrono::milliseconds relist_hold{300'000};
    std::chrono::milliseconds audit_period{60'000};
    std::chrono::milliseconds drain_timeout{300'000};
    std::chrono::milliseconds folder_debounce{200};
    int probes_in_flight = 256;
    bool kubelet_compatible_counters = false;
    std::string container_runtime_socket;
    CheckMode second_opinion = CheckMode::off;
    CheckMode node_check = CheckMode::observe;
    std::string node_check_service;  ///< NAMESPACE/NAME, or empty
    int route_protocol = 159;
    netlink::Fwmark fwmark;
    bool reserve_node_ports = true;
    int front_ends_per_service = 4'096;
    int front_ends_per_node = 262'144;
    int real_servers_per_service = 65'536;
    int real_servers_per_node = 1'048'576;
    int conntrack_max_per_core = 32'768;
    int conntrack_min = 131'072;
    std::chrono::milliseconds conntrack_tcp_timeout_established{86'400'000};
    std::chrono::milliseconds conntrack_tcp_timeout_close_wait{3'600'000};
    bool conntrack_tcp_be_liberal = false;
    std::chrono::milliseconds conntrack_udp_timeout{0};
    std::chrono::milliseconds conntrack_udp_timeout_stream{0};
    std::chrono::milliseconds ipvs_tcp_timeout{7'800'000};
    std::chrono::milliseconds ipvs_tcpfin_timeout{0};
    std::chrono::milliseconds ipvs_udp_timeout{0};
    int ipvs_conn_tab_bits = 16;
    std::vector<Listen> metrics_bind_address;  ///< none or one
    std::vector<Listen> healthz_bind_address;  ///< none or one
    bool bind_address_hard_fail = false;
    std::string socket = "/run/podferry/podferry.sock";
    std::string state_dir = "/var/lib/podferry";
    log::Format log_format = log::Format::text;
    log::Level log_level = log::Level::info;
    bool operator==(const Config&) const = default;
};

/// The addresses to listen on, once node_ip is known.
std::vector<Listen> listens_of(const std::vector<Listen>& setting, const std::vector<Address>& node_ip);

/// The defaults, without anything that depends on the machine.
Config default_config();

/// Reads YAML. The error is one line for each mistake: "FILE:LINE:COLUMN: key: what is wrong".
/// Unknown keys, duplicate keys and bad values are mistakes; so are ranges that contradict each other.
tl::expected<Config, std::string> parse_config(std::string_view yaml, const std::string& file);

/// YAML that parse_config() reads back to the same value; every setting with its documentation.
std::string to_yaml(const Config& config);

}  // namespace proxy
