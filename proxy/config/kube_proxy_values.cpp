#include "proxy/config/kube_proxy_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <charconv>

#include "base/go_duration.hpp"
#include "netlink/objects.hpp"
#include "proxy/config/setting_values.hpp"

namespace proxy::kube_proxy {
namespace {

using api::Field;

/// What to say, unless the setting refused the value.
std::string taken(const Field& field, const std::string& complaint, const std::string& line) {
    field.check(complaint);
    return complaint.empty() ? line : std::string();
}

Values texts(const Field& list) {
    Values values;
    list.each([&](const Field& item) { values.push_back(item.text()); });
    return values;
}

/// kube-proxy takes CIDRs with host bits and clears them (Go's ParseCIDR). What is no CIDR stays as it is, for the
/// setting's reader to refuse.
std::string without_host_bits(std::string text) {
    boost::algorithm::trim(text);
    const auto slash = text.find('/');
    if (slash == std::string::npos)
        return text;
    boost::system::error_code error;
    const Address address = boost::asio::ip::make_address(text.substr(0, slash), error);
    int length = -1;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + slash + 1, end, length);
    if (error || code != std::errc{} || stop != end || length < 0 || length > netlink::bits_of(address))
        return text;
    return to_string(base::network_of(address, length));
}

std::string take_network(Taking& taking, const Field& field, Values cidrs) {
    std::transform(cidrs.begin(), cidrs.end(), cidrs.begin(), without_host_bits);
    return taken(field, read_prefixes(taking.result.config.network_cidr, cidrs), "honoured as network_cidr");
}

/// "ADDRESS:PORT", or an address alone with kube-proxy's port.
std::string take_listen(const Field& field, std::vector<Listen>& target, int port, std::string_view setting) {
    std::string text = field.text();
    boost::system::error_code error;
    const Address address = boost::asio::ip::make_address(text, error);
    if (!error)
        text = fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), text, port);
    return taken(field, read_listen(target, {text}), fmt::format("honoured as {}", setting));
}

}  // namespace

std::string take_bind_address(Taking& taking, const Field& field) {
    const std::string text = field.text();
    boost::system::error_code error;
    const Address address = boost::asio::ip::make_address(text, error);
    const std::string v6 = !error && address.is_v6() ? "; /healthz and /metrics are on IPv6 by default" : "";
    if (!error && address.is_unspecified())
        return "ignored: a wildcard leaves node_ip as it is" + v6;
    return taken(field, read_addresses(taking.result.config.node_ip, {text}),
                 "honoured as node_ip; nothing is bound to it, as with kube-proxy" + v6);
}

std::string take_cluster_cidr(Taking& taking, const Field& field) {
    Values cidrs;
    boost::algorithm::split(cidrs, field.text(), [](char c) { return c == ','; });
    return take_network(taking, field, std::move(cidrs));
}

std::string take_cluster_cidrs(Taking& taking, const Field& field) {
    return take_network(taking, field, texts(field));
}

/// kube-proxy looks at an interface's name in its own mode only.
static std::string take_interface(Taking& taking, const Field& field, std::string& target, const char* setting,
                                  const char* mode) {
    if (taking.detect_local_mode != mode)
        return fmt::format("ignored: it counts in detectLocalMode {} only", mode);
    return taken(field, read_interface(target, {field.text()}), fmt::format("honoured as {}", setting));
}

std::string take_bridge_interface(Taking& taking, const Field& field) {
    return take_interface(taking, field, taking.result.config.pod_bridge_interface, "pod_bridge_interface",
                          "BridgeInterface");
}

std::string take_interface_name_prefix(Taking& taking, const Field& field) {
    return take_interface(taking, field, taking.result.config.pod_interface_name_prefix, "pod_interface_name_prefix",
                          "InterfaceNamePrefix");
}

std::string take_detect_local_mode(Taking& taking, const Field& field) {
    const auto word = field.one_of({"ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"});
    Config& config = taking.result.config;
    config.detect_local_mode = static_cast<DetectLocalMode>(word);
    // The file wins over names for another mode.
    if (config.detect_local_mode != DetectLocalMode::bridge_interface)
        config.pod_bridge_interface.clear();
    else if (config.pod_bridge_interface.empty() && taking.bridge_interface.empty())
        field.wrong("BridgeInterface needs detectLocal.bridgeInterface");
    if (config.detect_local_mode != DetectLocalMode::interface_name_prefix)
        config.pod_interface_name_prefix.clear();
    else if (config.pod_interface_name_prefix.empty() && taking.interface_name_prefix.empty())
        field.wrong("InterfaceNamePrefix needs detectLocal.interfaceNamePrefix");
    return "honoured as detect_local_mode " + field.text();
}

std::string take_healthz_bind_address(Taking& taking, const Field& field) {
    return take_listen(field, taking.result.config.healthz_bind_address, 10256, "healthz_bind_address");
}

std::string take_metrics_bind_address(Taking& taking, const Field& field) {
    return take_listen(field, taking.result.config.metrics_bind_address, 10249, "metrics_bind_address");
}

/// As kube-proxy makes the Node's name of it.
std::string take_hostname_override(Taking& taking, const Field& field) {
    std::string name = boost::algorithm::to_lower_copy(boost::algorithm::trim_copy(field.text()));
    if (name.empty()) {
        field.wrong("holds only blanks; write the Node's name, or remove it");
        return {};
    }
    taking.result.config.node_name = std::move(name);
    return "honoured as node_name " + taking.result.config.node_name;
}

std::string take_ipvs_sync_period(Taking& taking, const Field& field) {
    using namespace std::chrono_literals;
    const auto period = *base::parse_go_duration(field.text());
    if (period < 0ns) {
        field.wrong("must be greater than 0");
        return {};
    }
    auto& audit = taking.result.config.audit_period;
    audit = std::chrono::duration_cast<std::chrono::milliseconds>(std::clamp<std::chrono::nanoseconds>(period, 1s, 1h));
    const char* limit = period < 1s ? ", the shortest there is" : period > 1h ? ", the longest there is" : "";
    return "honoured as audit_period " + print_ranged(audit) + limit;
}

std::string take_kubeconfig(Taking& taking, const Field& field) {
    return taken(field, read_optional_path(taking.result.config.kubeconfig, {field.text()}), "honoured as kubeconfig");
}

std::string take_log_format(Taking& taking, const Field& field) {
    return taken(field, read_log_format(taking.result.config.log_format, {field.text()}), "honoured as log_format");
}

std::string take_verbosity(Taking& taking, const Field& field) {
    if (field.integer(0, 0xffff'ffff, 0) < 4)
        return "ignored: 4 and more would be log_level debug; log_level stays as it is";
    taking.result.config.log_level = log::Level::debug;
    return "honoured as log_level debug";
}

std::string take_bind_address_hard_fail(Taking& taking, const Field& field) {
    taking.result.config.bind_address_hard_fail = field.flag(false);
    return "honoured as bind_address_hard_fail";
}

std::string take_masquerade_all(Taking& taking, const Field& field) {
    taking.result.config.masquerade_all = field.flag(false);
    return "honoured as masquerade_all";
}

/// kube-proxy reads one of the two, by its mode.
std::string take_masquerade_all_of_iptables(Taking& taking, const Field& field) {
    if (taking.mode == "nftables")
        return "ignored: nftables.masqueradeAll counts in mode nftables";
    return take_masquerade_all(taking, field);
}

std::string take_masquerade_all_of_nftables(Taking& taking, const Field& field) {
    if (taking.mode != "nftables")
        return "ignored: it counts in mode nftables only";
    return take_masquerade_all(taking, field);
}

std::string take_mode(Taking&, const Field& field) {
    const std::string mode = field.text();
    if (mode == "ipvs")
        return "honoured: podferry is IPVS";
    if (mode == "iptables" || mode == "nftables")
        return mode + ": ignored: podferry is IPVS with nftables";
    field.wrong("'" + mode + "' is not one of ipvs, iptables, nftables");
    return {};
}

std::string take_node_port_addresses(Taking& taking, const Field& field) {
    bool primary = false;
    std::string more;
    Values cidrs;
    for (const std::string& text : texts(field)) {
        if (text == "primary") {
            primary = true;
        } else if (text == "all") {
            cidrs.insert(cidrs.end(), {"0.0.0.0/0", "::/0"});
        } else if (text == "localhost") {
            cidrs.insert(cidrs.end(), {"127.0.0.0/8", "::1/128"});
            more = "; podferry serves none on loopback addresses";
        } else {
            cidrs.push_back(without_host_bits(text));
        }
    }
    if (primary && !cidrs.empty()) {
        field.wrong("'primary' beside other ranges cannot be kept; write the subnets of the nodes' addresses instead");
        return {};
    }
    if (primary)
        more = ", empty: on node_ip";
    return taken(field, read_any_prefixes(taking.result.config.node_port_addresses, cidrs),
                 "honoured as node_port_addresses" + more);
}

std::string take_scheduler(Taking& taking, const Field& field) {
    return taken(field, read_scheduler(taking.result.config.scheduler, {field.text()}), "honoured as scheduler");
}

}  // namespace proxy::kube_proxy
