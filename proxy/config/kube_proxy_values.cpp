#include "proxy/config/kube_proxy_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>

#include "base/go_duration.hpp"
#include "proxy/config/setting_values.hpp"
#include "proxy/config/settings.hpp"

namespace proxy::kube_proxy {
namespace {

using api::Field;

/// What to say, unless the setting refused the value.
std::string unless_refused(const Field& field, const std::string& complaint, const std::string& line) {
    field.check(complaint);
    return complaint.empty() ? line : std::string();
}

Values texts(const Field& list) {
    Values values;
    list.each([&](const Field& item) { values.push_back(item.text()); });
    return values;
}

/// kube-proxy accepts CIDRs with host bits, and clears these (Go's ParseCIDR). What is no CIDR stays as it is, for the
/// setting's reader to refuse.
std::string without_host_bits(std::string text) {
    boost::algorithm::trim(text);
    const auto network = base::parse_network(text);
    return network ? to_string(*network) : text;
}

/// The value as a configuration file of podferry's would have it.
std::string scalar(const Field& field) {
    if (field.raw()->is_bool())
        return field.flag(false) ? "true" : "false";
    if (field.raw()->is_number())
        return std::to_string(field.integer(INT32_MIN, INT32_MAX, 0));
    return field.text();
}

std::string read_setting(Migration& migration, const Field& field, std::string_view name, const Values& values) {
    return unless_refused(field, find_setting(name)->read(migration.result.config, values),
                          fmt::format("honoured as {}", name));
}

}  // namespace

Migrate setting(std::string_view name) {
    return
        [=](Migration& migration, const Field& field) { return read_setting(migration, field, name, {scalar(field)}); };
}

Migrate timeout(std::string_view setting, std::chrono::milliseconds Config::* target) {
    return [=](Migration& migration, const Field& field) -> std::string {
        using namespace std::chrono_literals;
        constexpr std::chrono::nanoseconds longest = 576h;
        const auto time = *base::parse_go_duration(field.text());
        if (time < 0ns) {
            field.wrong("must be 0 or greater");
            return {};
        }
        const std::chrono::milliseconds limit = std::chrono::ceil<std::chrono::seconds>(std::min(time, longest));
        migration.result.config.*target = limit;
        return fmt::format("honoured as {} {}{}", setting, print_ranged(limit),
                           time > longest ? ", the longest there is" : "");
    };
}

Migrate networks() {
    return [](Migration& migration, const Field& field) {
        Values cidrs;
        if (field.raw()->is_string())
            boost::algorithm::split(cidrs, field.text(), [](char c) { return c == ','; });
        else
            cidrs = texts(field);
        std::transform(cidrs.begin(), cidrs.end(), cidrs.begin(), without_host_bits);
        return read_setting(migration, field, "network_cidr", cidrs);
    };
}

Migrate listener(std::string_view setting, int port) {
    return [=](Migration& migration, const Field& field) {
        std::string text = field.text();
        if (const auto address = base::parse_address(text))
            text = fmt::format(fmt::runtime(address->is_v6() ? "[{}]:{}" : "{}:{}"), text, port);
        return read_setting(migration, field, setting, {text});
    };
}

Migrate masquerade(std::string_view mode) {
    return [=](Migration& migration, const Field& field) -> std::string {
        if ((migration.mode == "nftables") != (mode == "nftables"))
            return mode == "nftables" ? "ignored: it counts in mode nftables only"
                                      : "ignored: nftables.masqueradeAll counts in mode nftables";
        return setting("masquerade_all")(migration, field);
    };
}

Migrate in_detect_mode(std::string_view mode, std::string_view name) {
    return [=](Migration& migration, const Field& field) {
        return migration.detect_local_mode == mode ? setting(name)(migration, field)
                                                   : fmt::format("ignored: it counts in detectLocalMode {} only", mode);
    };
}

std::string migrate_bind_address(Migration& migration, const Field& field) {
    const std::string text = field.text();
    const auto address = base::parse_address(text);
    const std::string v6 = address && address->is_v6() ? "; /healthz and /metrics are on IPv6 by default" : "";
    if (address && address->is_unspecified())
        return "ignored: a wildcard leaves node_ip as it is" + v6;
    return unless_refused(field, read_addresses(migration.result.config.node_ip, {text}),
                          "honoured as node_ip; nothing is bound to it, as with kube-proxy" + v6);
}

std::string migrate_detect_local_mode(Migration& migration, const Field& field) {
    const auto word = field.one_of({"ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"});
    Config& config = migration.result.config;
    config.detect_local_mode = static_cast<DetectLocalMode>(word);
    // The file wins over names for another mode.
    if (config.detect_local_mode != DetectLocalMode::bridge_interface)
        config.pod_bridge_interface.clear();
    else if (config.pod_bridge_interface.empty() && migration.bridge_interface.empty())
        field.wrong("BridgeInterface needs detectLocal.bridgeInterface");
    if (config.detect_local_mode != DetectLocalMode::interface_name_prefix)
        config.pod_interface_name_prefix.clear();
    else if (config.pod_interface_name_prefix.empty() && migration.interface_name_prefix.empty())
        field.wrong("InterfaceNamePrefix needs detectLocal.interfaceNamePrefix");
    return "honoured as detect_local_mode " + field.text();
}

/// Makes the Node's name of it as kube-proxy does.
std::string migrate_hostname_override(Migration& migration, const Field& field) {
    std::string name = boost::algorithm::to_lower_copy(boost::algorithm::trim_copy(field.text()));
    if (name.empty()) {
        field.wrong("holds only blanks; write the Node's name, or remove it");
        return {};
    }
    migration.result.config.node_name = std::move(name);
    return "honoured as node_name " + migration.result.config.node_name;
}

std::string migrate_ipvs_sync_period(Migration& migration, const Field& field) {
    using namespace std::chrono_literals;
    const auto period = *base::parse_go_duration(field.text());
    if (period < 0ns) {
        field.wrong("must be greater than 0");
        return {};
    }
    auto& audit = migration.result.config.audit_period;
    audit = std::chrono::duration_cast<std::chrono::milliseconds>(std::clamp<std::chrono::nanoseconds>(period, 1s, 1h));
    const char* limit = period < 1s ? ", the shortest there is" : period > 1h ? ", the longest there is" : "";
    return "honoured as audit_period " + print_ranged(audit) + limit;
}

std::string migrate_verbosity(Migration& migration, const Field& field) {
    if (field.integer(0, 0xffff'ffff, 0) < 4)
        return "ignored: 4 and more would be log_level debug; log_level stays as it is";
    migration.result.config.log_level = log::Level::debug;
    return "honoured as log_level debug";
}

std::string migrate_mode(Migration&, const Field& field) {
    const std::string mode = field.text();
    if (mode == "ipvs")
        return "honoured: podferry is IPVS";
    if (mode == "iptables" || mode == "nftables")
        return mode + ": ignored: podferry is IPVS with nftables";
    field.wrong("'" + mode + "' is not one of ipvs, iptables, nftables");
    return {};
}

std::string migrate_node_port_addresses(Migration& migration, const Field& field) {
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
    return unless_refused(field, read_any_prefixes(migration.result.config.node_port_addresses, cidrs),
                          "honoured as node_port_addresses" + more);
}

}  // namespace proxy::kube_proxy
