#include "proxy/config/kube_proxy_fields.hpp"

#include <algorithm>

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

KubeProxyField used(std::string_view path, Form form, std::string (*take)(Taking&, const api::Field&)) {
    return {path, form, take, {}};
}

KubeProxyField ignored(std::string_view path, Form form, std::string_view reason) {
    return {path, form, nullptr, reason};
}

std::vector<KubeProxyField> make_fields() {
    using enum Form;
    return {
        used("apiVersion", text, nullptr),  // checked by read_kube_proxy_config()
        used("kind", text, nullptr),

        used("bindAddress", text, take_bind_address),
        used("bindAddressHardFail", flag, take_bind_address_hard_fail),
        ignored("clientConnection.acceptContentTypes", text, own_formats),
        ignored("clientConnection.burst", integer, own_pace),
        ignored("clientConnection.contentType", text, own_formats),
        used("clientConnection.kubeconfig", text, take_kubeconfig),
        ignored("clientConnection.qps", number, own_pace),
        used("clusterCIDR", text, take_cluster_cidr),
        ignored("configSyncPeriod", duration, "podferry's watches need no resynchronisation"),
        used("conntrack.maxPerCore", integer, take_conntrack_max_per_core),
        used("conntrack.min", integer, take_conntrack_min),
        used("conntrack.tcpBeLiberal", flag, take_conntrack_tcp_be_liberal),
        used("conntrack.tcpCloseWaitTimeout", given_duration, take_conntrack_tcp_timeout_close_wait),
        used("conntrack.tcpEstablishedTimeout", given_duration, take_conntrack_tcp_timeout_established),
        used("conntrack.udpStreamTimeout", duration, take_conntrack_udp_timeout_stream),
        used("conntrack.udpTimeout", duration, take_conntrack_udp_timeout),
        used("detectLocal.bridgeInterface", text, take_bridge_interface),
        used("detectLocal.clusterCIDRs", texts, take_cluster_cidrs),  // kube-proxy's own name for it, not v1alpha1's
        used("detectLocal.interfaceNamePrefix", text, take_interface_name_prefix),
        used("detectLocalMode", text, take_detect_local_mode),
        ignored("enableProfiling", flag, "podferry has no profiling page; perf works on it"),
        ignored("featureGates", flags, "podferry has no feature gates"),
        used("healthzBindAddress", text, take_healthz_bind_address),
        used("hostnameOverride", text, take_hostname_override),
        ignored("iptables.localhostNodePorts", flag, no_loopback),
        used("iptables.masqueradeAll", flag, take_masquerade_all_of_iptables),
        ignored("iptables.masqueradeBit", integer, other_marks),
        ignored("iptables.minSyncPeriod", duration, at_once),
        ignored("iptables.syncPeriod", duration, "only ipvs.syncPeriod becomes audit_period"),
        ignored("ipvs.excludeCIDRs", texts, "not needed: foreign virtual servers are never touched"),
        ignored("ipvs.minSyncPeriod", duration, at_once),
        used("ipvs.scheduler", text, take_scheduler),
        ignored("ipvs.strictARP", flag, "not needed: no node answers ARP for the address of a load balancer"),
        used("ipvs.syncPeriod", duration, take_ipvs_sync_period),
        used("ipvs.tcpFinTimeout", duration, take_ipvs_tcpfin_timeout),
        used("ipvs.tcpTimeout", duration, take_ipvs_tcp_timeout),
        used("ipvs.udpTimeout", duration, take_ipvs_udp_timeout),
        used("linux.masqueradeAll", flag, take_masquerade_all),  // kube-proxy's own name for it, not v1alpha1's
        ignored("logging.flushFrequency", anything, "lines are written at once"),
        used("logging.format", text, take_log_format),
        ignored("logging.options", anything, "lines go to standard error, at once"),
        used("logging.verbosity", integer, take_verbosity),
        ignored("logging.vmodule", anything, "there is one log_level for all of podferry"),
        used("metricsBindAddress", text, take_metrics_bind_address),
        used("mode", text, take_mode),
        used("nftables.masqueradeAll", flag, take_masquerade_all_of_nftables),
        ignored("nftables.masqueradeBit", integer, other_marks),
        ignored("nftables.minSyncPeriod", duration, at_once),
        ignored("nftables.syncPeriod", duration, "only ipvs.syncPeriod becomes audit_period"),
        used("nodePortAddresses", texts, take_node_port_addresses),
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
