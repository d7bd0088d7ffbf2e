#include "proxy/config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/spelling.hpp"
#include "proxy/config/setting_values.hpp"

namespace proxy {
namespace {

using Values = std::vector<std::string>;

constexpr long longest_timeout = 576L * 3'600'000;  // ms; a kernel with HZ=1000 has no timer above 24.8 days

template <class Member>
Setting row(std::string_view name, std::string_view documentation, Member Config::* member,
            std::string (*read)(Member&, const Values&), std::string (*print)(const Member&)) {
    return {name, documentation, [=](Config& config, const Values& values) { return read(config.*member, values); },
            [=](const Config& config) { return print(config.*member); }};
}

/// Like row(), for integers and durations that have a range.
template <class Member>
Setting ranged(std::string_view name, std::string_view documentation, Member Config::* member, long low, long high) {
    return {name, documentation,
            [=](Config& config, const Values& values) { return read_ranged(config.*member, values, low, high); },
            [=](const Config& config) { return print_ranged(config.*member); }};
}

std::vector<Setting> make_settings() {
    return {
        row("service_cluster_ip_range",
            "Range of ClusterIPs, one CIDR per address family, primary family first. Required to allocate ClusterIPs. "
            "Connections to an address in it that no Service has are dropped.",
            &Config::service_cluster_ip_range, read_prefixes, print_prefixes),
        row("network_cidr",
            "Range of pod addresses, one CIDR per family. Clients outside it are masqueraded when they use a "
            "ClusterIP, unless detect_local_mode says otherwise; no Service may claim addresses in it.",
            &Config::network_cidr, read_prefixes, print_prefixes),
        row("detect_local_mode",
            "Which clients count as pods, as kube-proxy's detectLocalMode: ClusterCIDR: those in network_cidr; "
            "NodeCIDR: those in spec.podCIDRs of this node's Node object; BridgeInterface, InterfaceNamePrefix: those "
            "that come by pod_bridge_interface, by an interface whose name begins with pod_interface_name_prefix. "
            "Default ClusterCIDR.",
            &Config::detect_local_mode, read_detect_local_mode, print_detect_local_mode),
        row("pod_bridge_interface", "Name of the bridge that this node's pods are on, such as cni0. Default (empty).",
            &Config::pod_bridge_interface, read_interface, print_text),
        row("pod_interface_name_prefix",
            "How the names of the interfaces begin that lead to this node's pods, such as cali. Default (empty).",
            &Config::pod_interface_name_prefix, read_interface, print_text),
        row("service_node_port_range", "Range of node ports, FIRST-LAST, within 1-65535. Default 30000-32767.",
            &Config::service_node_port_range, read_port_range, print_port_range),
        row("node_name", "Name of this node; decides which endpoints are local. Default: the host name in lower case.",
            &Config::node_name, read_text, print_text),
        row("node_ip",
            "This node's addresses, at most one per family. Default: those of its Node object, else of its default "
            "routes (docs/operations.md).",
            &Config::node_ip, read_addresses, print_addresses),
        row("node_port_addresses",
            "CIDRs; node ports are served on this node's addresses inside them. Default (empty): on node_ip only.",
            &Config::node_port_addresses, read_any_prefixes, print_prefixes),
        row("external_ips",
            "Which addresses Services may claim by spec.externalIPs: all, none, or a list of CIDRs. What is somebody "
            "else's is refused in any case (docs/security.md). Default all.",
            &Config::external_ips, read_external_ips, print_external_ips),
        row("allow_range_overlap",
            "true: start although a range overlaps another range, an interface's subnet or a route. Default false.",
            &Config::allow_range_overlap, read_flag, print_flag),
        row("masquerade_all", "true: masquerade every connection to a ClusterIP. Default false.",
            &Config::masquerade_all, read_flag, print_flag),
        row("scheduler",
            "IPVS scheduler of Services without annotation podferry.io/scheduler: rr wrr lc wlc lblc lblcr dh sh sed "
            "nq fo ovf mh twos. Default rr.",
            &Config::scheduler, read_scheduler, print_text),
        row("kubeconfig",
            "How to reach the Kubernetes API. Default (empty): the pod's service account. Not used with --manifests.",
            &Config::kubeconfig, read_optional_path, print_text),
        row("api_servers",
            "API servers, https://HOST:PORT, asked in this order when one fails, in place of the kubeconfig's or the "
            "service account's: a proxy cannot depend on the virtual address that it programs itself. Default (empty).",
            &Config::api_servers, read_servers, print_servers),
        row("api_server_files",
            "Kubeconfigs of others on this node, such as kube-proxy's or the kubelet's: where neither kubeconfig nor "
            "api_servers is set, the first one that is there says which server is asked; nothing else is taken from "
            "it. Default (empty).",
            &Config::api_server_files, read_paths, print_servers),
        row("api_local_proxies",
            "https://HOST:PORT of proxies to the API servers on this node, asked after api_server_files: who answers "
            "with a certificate of the cluster's authority is used. Default: those of k3s, RKE2 and Talos.",
            &Config::api_local_proxies, read_servers, print_servers),
        ranged("relist_hold",
               "How long a list from the API that suddenly lacks most Services or EndpointSlices is not believed: "
               "0s..24h. Default 5m.",
               &Config::relist_hold, 0, 86'400'000),
        ranged("audit_period",
               "How often the kernel is compared with what is wanted, and repaired: 1s..1h. Default 1m.",
               &Config::audit_period, 1'000, 3'600'000),
        ranged("drain_timeout",
               "How long connections may go on to a real server whose endpoint has vanished without having been "
               "terminating (a label changed): 0s..24h. Default 5m.",
               &Config::drain_timeout, 0, 86'400'000),
        ranged("folder_debounce",
               "Quiet time after a change in the manifest folder before it is read: 0s..10s. Default 200ms.",
               &Config::folder_debounce, 0, 10'000),
        ranged("probes_in_flight", "Probe attempts at the same time; further ones wait: 1..4096. Default 256.",
               &Config::probes_in_flight, 1, 4096),
        row("kubelet_compatible_counters",
            "true: a probe's counters survive a container's restart, as in the kubelet. Default false.",
            &Config::kubelet_compatible_counters, read_flag, print_flag),
        row("container_runtime_socket",
            "Socket of the container runtime (CRI v1), such as /run/containerd/containerd.sock, by which exec "
            "probes are run (docs/probing.md). Who may use it is root on this node. Default (empty): they are not run.",
            &Config::container_runtime_socket, read_socket, print_text),
        row("second_opinion",
            "In a cluster, what podferry's own readiness probes of this node's pods may do: off (none are made), "
            "observe "
            "(reasons and metrics only), enforce (one that fails gets no new connections though the API says that it "
            "is "
            "ready). Takes the right to list and watch pods (docs/probing.md). Default off.",
            &Config::second_opinion, read_check_mode, print_check_mode),
        row("node_check",
            "What podferry's own checks of the other nodes that carry endpoints may do: off (none are made), observe "
            "(reasons and metrics only), enforce (a silent node gets no new connections after 1 s; after 3 s what it "
            "had is reset) (docs/probing.md). Default observe.",
            &Config::node_check, read_check_mode, print_check_mode),
        row("node_check_service",
            "NAMESPACE/NAME of a headless Service whose EndpointSlices name each node (nodeName) and its address: of "
            "podferry's own pods. Who may write these says where nodes are. Empty: in a cluster, Node objects are "
            "looked up one by one. Default empty.",
            &Config::node_check_service, read_service_name, print_text),
        ranged("route_protocol",
               "Protocol number that marks our routes and routing rules in the kernel, number of our routing table and "
               "preference of our routing rules; nobody else may use it: 5..252. Default 159.",
               &Config::route_protocol, 5, 252),
        row("fwmark",
            "VALUE/MASK of the packet marks that are podferry's, at least 256 of them: packets to external addresses "
            "carry them from prerouting to input; nobody else may use them. Default 0x50460000/0xffff0000.",
            &Config::fwmark, read_fwmark, print_fwmark),
        row("reserve_node_ports",
            "true: add service_node_port_range to net.ipv4.ip_local_reserved_ports, so that this host uses none of "
            "them for its own connections. Default true.",
            &Config::reserve_node_ports, read_flag, print_flag),
        ranged("front_ends_per_service",
               "How many front ends (ports x addresses) a Service may have; what it asks for beyond is left out, "
               "ClusterIPs being first and external IPs last: 16..65536. Default 4096.",
               &Config::front_ends_per_service, 16, 65'536),
        ranged("front_ends_per_node",
               "How many all Services together may have; of those beyond, the youngest wait. A quarter is for what "
               "Services want beyond 64 each: 1024..4194304. Default 262144.",
               &Config::front_ends_per_node, 1'024, 4'194'304),
        ranged("real_servers_per_service",
               "How many real servers a Service may have over all of its front ends, and how many endpoints; an "
               "element of its source ranges counts as 4: 1024..1048576. Default 65536.",
               &Config::real_servers_per_service, 1'024, 1'048'576),
        ranged("real_servers_per_node",
               "The same for all Services together, as front_ends_per_node; a quarter is for what Services want beyond "
               "2048 each: 16384..16777216. Default 1048576.",
               &Config::real_servers_per_node, 16'384, 16'777'216),
        ranged("conntrack_max_per_core",
               "Connections that the kernel can track, for each CPU: 0..16777216; 0 leaves nf_conntrack_max as it is, "
               "which is never lowered. Default 32768.",
               &Config::conntrack_max_per_core, 0, 16'777'216),
        ranged("conntrack_min", "At least so many, however few CPUs there are: 0..1073741824. Default 131072.",
               &Config::conntrack_min, 0, 1'073'741'824),
        ranged("conntrack_tcp_timeout_established",
               "How long an idle TCP connection is tracked: 0s..576h; 0s leaves the sysctl as it is. Default 24h.",
               &Config::conntrack_tcp_timeout_established, 0, longest_timeout),
        ranged("conntrack_tcp_timeout_close_wait",
               "The same after the server's end has closed it, and the client's not: 0s..576h. Default 1h.",
               &Config::conntrack_tcp_timeout_close_wait, 0, longest_timeout),
        row("conntrack_tcp_be_liberal",
            "true: packets outside the TCP window do not count as invalid. false leaves the sysctl as it is. Default "
            "false.",
            &Config::conntrack_tcp_be_liberal, read_flag, print_flag),
        ranged("conntrack_udp_timeout",
               "How long an unanswered UDP flow is tracked: 0s..576h; 0s leaves the sysctl as it is. Default 0s.",
               &Config::conntrack_udp_timeout, 0, longest_timeout),
        ranged("conntrack_udp_timeout_stream",
               "How long an idle UDP flow in both directions is tracked: 0s..576h; 0s leaves the sysctl as it is. "
               "Default 0s.",
               &Config::conntrack_udp_timeout_stream, 0, longest_timeout),
        ranged("ipvs_tcp_timeout",
               "After which idle time a TCP connection through a Service is forgotten and reset at its next packet: "
               "0s..576h; 0s leaves the kernel's, at first 15m. Default 130m: longer than TCP keepalive waits (2h).",
               &Config::ipvs_tcp_timeout, 0, longest_timeout),
        ranged("ipvs_tcpfin_timeout",
               "The same after a FIN: 0s..576h; 0s leaves the kernel's, at first 2m. Default 0s.",
               &Config::ipvs_tcpfin_timeout, 0, longest_timeout),
        ranged("ipvs_udp_timeout",
               "How long datagrams from one client and port go to the same pod after the last one: 0s..576h; 0s leaves "
               "the kernel's, at first 5m. Default 0s.",
               &Config::ipvs_udp_timeout, 0, longest_timeout),
        ranged("ipvs_conn_tab_bits",
               "The size of IPVS's connection table when podferry loads module ip_vs, 2^N lists of 8 bytes: 8..20. "
               "'options ip_vs conn_tab_bits=N' in /etc/modprobe.d wins. Default 16.",
               &Config::ipvs_conn_tab_bits, 8, 20),
        row("metrics_bind_address",
            "ADDRESS:PORT of /metrics; node_ip:PORT: on each address of node_ip; empty: off. Default 127.0.0.1:10249.",
            &Config::metrics_bind_address, read_listen, print_listen),
        row("healthz_bind_address",
            "ADDRESS:PORT of /healthz, /livez and /readyz; node_ip:PORT as above; empty: off. Default 0.0.0.0:10256.",
            &Config::healthz_bind_address, read_listen, print_listen),
        row("bind_address_hard_fail",
            "true: a metrics or healthz address that cannot be listened on ends the start; false: it is tried again "
            "every "
            "5 s. Default false.",
            &Config::bind_address_hard_fail, read_flag, print_flag),
        row("socket", "Unix socket of the operator's commands. Default /run/podferry/podferry.sock.", &Config::socket,
            read_path, print_text),
        row("state_dir", "Folder that remembers allocated addresses and node ports. Default /var/lib/podferry.",
            &Config::state_dir, read_path, print_text),
        row("log_format", "text or json. Default text.", &Config::log_format, read_log_format, print_log_format),
        row("log_level", "debug, info, warning or error. Default info.", &Config::log_level, read_log_level,
            print_log_level),
    };
}

}  // namespace

std::vector<Listen> listens_of(const std::vector<Listen>& setting, const std::vector<Address>& node_ip) {
    std::vector<Listen> all;
    for (const Listen& listen : setting) {
        if (!listen.on_node_ip)
            all.push_back(listen);
        else
            for (const Address& address : node_ip)
                all.push_back({address, listen.port});
    }
    return all;
}

Config default_config() {
    Config config;
    config.api_local_proxies = {"https://127.0.0.1:6444", "https://127.0.0.1:6443", "https://localhost:7445"};
    config.metrics_bind_address = {{base::make_address("127.0.0.1"), 10249}};
    config.healthz_bind_address = {{base::make_address("0.0.0.0"), 10256}};
    return config;
}

const std::vector<Setting>& settings() {
    static const std::vector<Setting> table = make_settings();
    return table;
}

const Setting* find_setting(std::string_view name) {
    const auto found = std::find_if(settings().begin(), settings().end(),
                                    [&](const Setting& setting) { return setting.name == name; });
    return found == settings().end() ? nullptr : &*found;
}

std::string did_you_mean(std::string_view name) {
    std::vector<std::string_view> names;
    for (const Setting& setting : settings())
        names.push_back(setting.name);
    const std::string nearest = base::did_you_mean(name, names);
    return nearest.empty() ? "; `podferry node --check-config` lists the settings" : nearest;
}

/// A name without its mode would be without effect, and a mode without its name would know nobody as a pod.
static void check_detection(const Config& config, std::vector<std::string>& found) {
    const std::string mode = print_detect_local_mode(config.detect_local_mode);
    for (const auto& [wanted, setting, name] :
         {std::tuple{DetectLocalMode::bridge_interface, "pod_bridge_interface", &config.pod_bridge_interface},
          std::tuple{DetectLocalMode::interface_name_prefix, "pod_interface_name_prefix",
                     &config.pod_interface_name_prefix}})
        if (name->empty() && config.detect_local_mode == wanted)
            found.push_back(fmt::format("detect_local_mode {} needs {}", mode, setting));
        else if (!name->empty() && config.detect_local_mode != wanted)
            found.push_back(fmt::format("{} has no effect: detect_local_mode is {}; set that to {}, or leave it out",
                                        setting, mode, print_detect_local_mode(wanted)));
}

std::vector<std::string> contradictions(const Config& config) {
    std::vector<std::string> found;
    check_detection(config, found);
    if (!config.allow_range_overlap)
        for (const base::Prefix& services : config.service_cluster_ip_range)
            for (const base::Prefix& pods : config.network_cidr)
                if (overlap(services, pods))
                    found.push_back(fmt::format(
                        "service_cluster_ip_range {} overlaps network_cidr {}: a ClusterIP could be a pod's address; "
                        "choose separate ranges, or set allow_range_overlap: true",
                        to_string(services), to_string(pods)));
    return found;
}

std::string to_yaml(const Config& config) {
    std::string text;
    for (const Setting& setting : settings())
        text += fmt::format("# {}\n{}: {}\n", setting.documentation, setting.name, setting.print(config));
    return text;
}

}  // namespace proxy
