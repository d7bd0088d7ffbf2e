#include "proxy/config/kube_proxy_fields.hpp"

#include <algorithm>
#include <utility>

#include "proxy/config/kube_proxy_values.hpp"

namespace proxy {
namespace {

using namespace kube_proxy;

constexpr std::string_view at_once = "changes are programmed at once, and together";
constexpr std::string_view no_loopback = "podferry serves no node ports on loopback addresses";
constexpr std::string_view other_marks = "podferry's packet marks are those of setting fwmark";
constexpr std::string_view own_formats = "podferry asks for lists in protobuf and for all else in JSON";
constexpr std::string_view own_pace = "podferry only lists and watches, and paces that itself";
constexpr std::string_view windows = "Windows only";

KubeProxyField used(std::string_view path, Form form, Migrate migrate) {
    return {path, form, std::move(migrate), {}};
}

KubeProxyField ignored(std::string_view path, Form form, std::string_view reason) {
    return {path, form, nullptr, reason};
}

std::vector<KubeProxyField> make_fields() {
    using enum Form;
    return {
        used("apiVersion", text, nullptr),  // checked by read_kube_proxy_config()
        used("kind", text, nullptr),

        used("bindAddress", text, migrate_bind_address),
        used("bindAddressHardFail", flag, setting("bind_address_hard_fail")),
        ignored("clientConnection.acceptContentTypes", text, own_formats),
        ignored("clientConnection.burst", integer, own_pace),
        ignored("clientConnection.contentType", text, own_formats),
        used("clientConnection.kubeconfig", text, setting("kubeconfig")),
        ignored("clientConnection.qps", number, own_pace),
        used("clusterCIDR", text, networks()),
        ignored("configSyncPeriod", duration, "podferry's watches need no resynchronisation"),
        used("conntrack.maxPerCore", integer, setting("conntrack_max_per_core")),
        used("conntrack.min", integer, setting("conntrack_min")),
        used("conntrack.tcpBeLiberal", flag, setting("conntrack_tcp_be_liberal")),
        used("conntrack.tcpCloseWaitTimeout", given_duration,
             timeout("conntrack_tcp_timeout_close_wait", &Config::conntrack_tcp_timeout_close_wait)),
        used("conntrack.tcpEstablishedTimeout", given_duration,
             timeout("conntrack_tcp_timeout_established", &Config::conntrack_tcp_timeout_established)),
        used("conntrack.udpStreamTimeout", duration,
             timeout("conntrack_udp_timeout_stream", &Config::conntrack_udp_timeout_stream)),
        used("conntrack.udpTimeout", duration, timeout("conntrack_udp_timeout", &Config::conntrack_udp_timeout)),
        used("detectLocal.bridgeInterface", text, in_detect_mode("BridgeInterface", "pod_bridge_interface")),
        used("detectLocal.clusterCIDRs", texts, networks()),  // kube-proxy's own name for it, not v1alpha1's
        used("detectLocal.interfaceNamePrefix", text,
             in_detect_mode("InterfaceNamePrefix", "pod_interface_name_prefix")),
        used("detectLocalMode", text, migrate_detect_local_mode),
        ignored("enableProfiling", flag, "podferry has no profiling page; perf works on it"),
        ignored("featureGates", flags, "podferry has no feature gates"),
        used("healthzBindAddress", text, listener("healthz_bind_address", 10256)),
        used("hostnameOverride", text, migrate_hostname_override),
        ignored("iptables.localhostNodePorts", flag, no_loopback),
        used("iptables.masqueradeAll", flag, masquerade("iptables")),
        ignored("iptables.masqueradeBit", integer, other_marks),
        ignored("iptables.minSyncPeriod", duration, at_once),
        ignored("iptables.syncPeriod", duration, "only ipvs.syncPeriod becomes audit_period"),
        ignored("ipvs.excludeCIDRs", texts, "not needed: foreign virtual servers are never touched"),
        ignored("ipvs.minSyncPeriod", duration, at_once),
        used("ipvs.scheduler", text, setting("scheduler")),
        ignored("ipvs.strictARP", flag, "not needed: no node answers ARP for the address of a load balancer"),
        used("ipvs.syncPeriod", duration, migrate_ipvs_sync_period),
        used("ipvs.tcpFinTimeout", duration, timeout("ipvs_tcpfin_timeout", &Config::ipvs_tcpfin_timeout)),
        used("ipvs.tcpTimeout", duration, timeout("ipvs_tcp_timeout", &Config::ipvs_tcp_timeout)),
        used("ipvs.udpTimeout", duration, timeout("ipvs_udp_timeout", &Config::ipvs_udp_timeout)),
        used("linux.masqueradeAll", flag, setting("masquerade_all")),  // kube-proxy's own name for it, not v1alpha1's
        ignored("logging.flushFrequency", anything, "lines are written at once"),
        used("logging.format", text, setting("log_format")),
        ignored("logging.options", anything, "lines go to standard error, at once"),
        used("logging.verbosity", integer, migrate_verbosity),
        ignored("logging.vmodule", anything, "there is one log_level for all of podferry"),
        used("metricsBindAddress", text, listener("metrics_bind_address", 10249)),
        used("mode", text, migrate_mode),
        used("nftables.masqueradeAll", flag, masquerade("nftables")),
        ignored("nftables.masqueradeBit", integer, other_marks),
        ignored("nftables.minSyncPeriod", duration, at_once),
        ignored("nftables.syncPeriod", duration, "only ipvs.syncPeriod becomes audit_period"),
        used("nodePortAddresses", texts, migrate_node_port_addresses),
        ignored("oomScoreAdj", integer,
                "it belongs to what starts podferry: OOMScoreAdjust= of its unit, or its pod's priority"),
        ignored("portRange", text, "kube-proxy does not use it either"),
        ignored("showHiddenMetricsForVersion", text, "podferry hides no metrics"),
        ignored("windowsRunAsService", flag, windows),
        ignored("winkernel.enableDSR", flag, windows),
        ignored("winkernel.forwardHealthCheckVip", flag, windows),
        ignored("winkernel.networkName", text, windows),
        ignored("winkernel.rootHnsEndpointName", text, windows),
        ignored("winkernel.sourceVip", text, windows),
    };
}

}  // namespace

const std::vector<KubeProxyField>& kube_proxy_fields() {
    static const std::vector<KubeProxyField> table = make_fields();
    return table;
}

const KubeProxyField* find_kube_proxy_field(std::string_view path) {
    const auto& fields = kube_proxy_fields();
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const KubeProxyField& field) { return field.path == path; });
    return found == fields.end() ? nullptr : &*found;
}

}  // namespace proxy
