// kube-proxy's configuration file: what becomes of each field, and what is said of mistakes.
#include "proxy/config/kube_proxy_config.hpp"

#include <catch2/catch.hpp>

#include "base/go_duration.hpp"
#include "proxy/config/kube_proxy_fields.hpp"

using namespace proxy;

namespace {

const std::string header = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

KubeProxyMigration read(const std::string& yaml) {
    const auto migration = read_kube_proxy_config(header + yaml, "k", default_config());
    INFO((migration ? "" : migration.error()));
    REQUIRE(migration);
    return *migration;
}

/// The lines but the one about node ports that no file asks for.
std::vector<std::string> lines_of(const std::string& yaml) {
    std::vector<std::string> lines = read(yaml).lines;
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("nodePortAddresses: not set"); });
    return lines;
}

/// "metrics_bind_address: ..." out of the effective configuration.
std::string setting(const Config& config, const std::string& name) {
    const std::string text = "\n" + to_yaml(config);
    const auto start = text.find("\n" + name + ": ") + 1;
    return text.substr(start, text.find('\n', start) - start);
}

}  // namespace

TEST_CASE("each field has its line") {
    struct Row {
        const char* yaml;
        const char* line;
    };
    const auto row = GENERATE(values<Row>({
        {"bindAddress: 0.0.0.0", "bindAddress: ignored: a wildcard leaves node_ip as it is"},
        {"bindAddress: '::'",
         "bindAddress: ignored: a wildcard leaves node_ip as it is; /healthz and /metrics are on IPv6 by default"},
        {"bindAddress: 192.168.50.10", "bindAddress: honoured as node_ip; nothing is bound to it, as with kube-proxy"},
        {"bindAddressHardFail: false", "bindAddressHardFail: honoured as bind_address_hard_fail"},
        {"clientConnection: {qps: 5.5}",
         "clientConnection.qps: ignored: podferry only lists and watches, and paces that itself"},
        {"clusterCIDR: 10.244.0.0/16", "clusterCIDR: honoured as network_cidr"},
        {"conntrack: {maxPerCore: 0}", "conntrack.maxPerCore: honoured as conntrack_max_per_core"},
        {"conntrack: {min: 0}", "conntrack.min: honoured as conntrack_min"},
        {"conntrack: {tcpBeLiberal: true}", "conntrack.tcpBeLiberal: honoured as conntrack_tcp_be_liberal"},
        {"conntrack: {tcpEstablishedTimeout: 0s}",
         "conntrack.tcpEstablishedTimeout: honoured as conntrack_tcp_timeout_established 0s"},
        {"conntrack: {tcpEstablishedTimeout: 9999h}",
         "conntrack.tcpEstablishedTimeout: honoured as conntrack_tcp_timeout_established 576h, the longest there is"},
        {"detectLocalMode: ClusterCIDR", "detectLocalMode: honoured as detect_local_mode ClusterCIDR"},
        {"detectLocalMode: NodeCIDR", "detectLocalMode: honoured as detect_local_mode NodeCIDR"},
        {"detectLocal: {bridgeInterface: cni0}\ndetectLocalMode: BridgeInterface",
         "detectLocalMode: honoured as detect_local_mode BridgeInterface"},
        {"detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}",
         "detectLocal.bridgeInterface: honoured as pod_bridge_interface"},
        {"detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: cali}",
         "detectLocal.interfaceNamePrefix: honoured as pod_interface_name_prefix"},
        {"detectLocal: {bridgeInterface: cni0}",
         "detectLocal.bridgeInterface: ignored: it counts in detectLocalMode BridgeInterface only"},
        {"detectLocalMode: NodeCIDR\ndetectLocal: {interfaceNamePrefix: cali}",
         "detectLocal.interfaceNamePrefix: ignored: it counts in detectLocalMode InterfaceNamePrefix only"},
        {"featureGates: {A: true}", "featureGates: ignored: podferry has no feature gates"},
        {"iptables: {masqueradeBit: 14}",
         "iptables.masqueradeBit: ignored: podferry's packet marks are those of setting fwmark"},
        {"iptables: {masqueradeAll: false}", "iptables.masqueradeAll: honoured as masquerade_all"},
        {"mode: nftables\niptables: {masqueradeAll: true}",
         "iptables.masqueradeAll: ignored: nftables.masqueradeAll counts in mode nftables"},
        {"nftables: {masqueradeAll: true}", "nftables.masqueradeAll: ignored: it counts in mode nftables only"},
        {"ipvs: {excludeCIDRs: [10.0.0.0/8]}",
         "ipvs.excludeCIDRs: ignored: not needed: foreign virtual servers are never touched"},
        {"ipvs: {strictARP: true}",
         "ipvs.strictARP: ignored: not needed: no node answers ARP for the address of a load balancer"},
        {"ipvs: {syncPeriod: 1m30s}", "ipvs.syncPeriod: honoured as audit_period 90s"},
        {"ipvs: {syncPeriod: 10ms}", "ipvs.syncPeriod: honoured as audit_period 1s, the shortest there is"},
        {"ipvs: {syncPeriod: 2h22m}", "ipvs.syncPeriod: honoured as audit_period 1h, the longest there is"},
        {"logging: {verbosity: 2}",
         "logging.verbosity: ignored: 4 and more would be log_level debug; log_level stays as it is"},
        {"logging: {flushFrequency: 5000000000}", "logging.flushFrequency: ignored: lines are written at once"},
        {"mode: ipvs", "mode: honoured: podferry is IPVS"},
        {"mode: iptables", "mode: iptables: ignored: podferry is IPVS with nftables"},
        {"oomScoreAdj: 0",
         "oomScoreAdj: ignored: it belongs to what starts podferry: OOMScoreAdjust= of its unit, or its pod's "
         "priority"},
        {"winkernel: {enableDSR: true}", "winkernel.enableDSR: ignored: Windows only"},
        {"ipvs: {schedular: rr}", "ipvs.schedular: unknown; ignored; did you mean 'ipvs.scheduler'?"},
        {"udpIdleTimeout: 250ms", "udpIdleTimeout: unknown; ignored"},
    }));
    CAPTURE(row.yaml);
    CHECK(lines_of(row.yaml).back() == row.line);
}

TEST_CASE("what is honoured becomes a setting") {
    struct Row {
        const char* yaml;
        const char* setting;
        const char* expected;
    };
    const auto row = GENERATE(values<Row>({
        {"clusterCIDR: '10.244.0.0/16,fd00:10:244::/56'", "network_cidr", R"(["10.244.0.0/16", "fd00:10:244::/56"])"},
        {"clusterCIDR: 10.244.7.1/16", "network_cidr", R"(["10.244.0.0/16"])"},
        {"detectLocal: {clusterCIDRs: [10.244.0.0/16]}", "network_cidr", R"(["10.244.0.0/16"])"},
        {"detectLocalMode: NodeCIDR", "detect_local_mode", "NodeCIDR"},
        {"detectLocalMode: ''", "detect_local_mode", "ClusterCIDR"},
        {"detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}", "pod_bridge_interface", R"("cni0")"},
        {"detectLocal: {interfaceNamePrefix: cali}\ndetectLocalMode: InterfaceNamePrefix", "pod_interface_name_prefix",
         R"("cali")"},
        {"detectLocal: {bridgeInterface: cni0}", "pod_bridge_interface", R"("")"},
        {"hostnameOverride: ' Node-1 '", "node_name", R"("node-1")"},
        {"bindAddress: 192.168.50.10", "node_ip", R"(["192.168.50.10"])"},
        {"bindAddress: 0.0.0.0", "node_ip", "[]"},
        {"healthzBindAddress: 127.0.0.1:7", "healthz_bind_address", R"("127.0.0.1:7")"},
        {"healthzBindAddress: 127.0.0.1", "healthz_bind_address", R"("127.0.0.1:10256")"},
        {"healthzBindAddress: ''", "healthz_bind_address", R"("0.0.0.0:10256")"},
        {"metricsBindAddress: '::'", "metrics_bind_address", R"("[::]:10249")"},
        {"metricsBindAddress: '[::1]:8'", "metrics_bind_address", R"("[::1]:8")"},
        {"bindAddress: '::'", "healthz_bind_address", R"("[::]:10256")"},
        {"bindAddress: '::'", "metrics_bind_address", R"("[::1]:10249")"},
        {"healthzBindAddress: 0.0.0.0\nbindAddress: '::'", "healthz_bind_address", R"("0.0.0.0:10256")"},
        {"nodePortAddresses: [192.168.50.7/24]", "node_port_addresses", R"(["192.168.50.0/24"])"},
        {"nodePortAddresses: [primary]", "node_port_addresses", "[]"},
        {"nodePortAddresses: [all]", "node_port_addresses", R"(["0.0.0.0/0", "::/0"])"},
        {"nodePortAddresses: [localhost]", "node_port_addresses", R"(["127.0.0.0/8", "::1/128"])"},
        {"clientConnection: {kubeconfig: /k.conf}", "kubeconfig", R"("/k.conf")"},
        {"iptables: {masqueradeAll: true}", "masquerade_all", "true"},
        {"linux: {masqueradeAll: true}", "masquerade_all", "true"},
        {"nftables: {masqueradeAll: true}\nmode: nftables", "masquerade_all", "true"},
        {"nftables: {masqueradeAll: true}\nmode: ipvs", "masquerade_all", "false"},
        {"ipvs: {scheduler: lc}", "scheduler", R"("lc")"},
        {"ipvs: {scheduler: ''}", "scheduler", R"("rr")"},
        {"ipvs: {syncPeriod: 30s}", "audit_period", "30s"},
        {"ipvs: {syncPeriod: 0s}", "audit_period", "1m"},
        {"ipvs: {tcpTimeout: 15m}", "ipvs_tcp_timeout", "15m"},
        {"ipvs: {tcpTimeout: 0s}", "ipvs_tcp_timeout", "130m"},
        {"ipvs: {tcpFinTimeout: 1500ms}", "ipvs_tcpfin_timeout", "2s"},
        {"ipvs: {udpTimeout: 1m30s}", "ipvs_udp_timeout", "90s"},
        {"conntrack: {maxPerCore: 0}", "conntrack_max_per_core", "0"},
        {"conntrack: {min: 65536}", "conntrack_min", "65536"},
        {"conntrack: {tcpBeLiberal: true}", "conntrack_tcp_be_liberal", "true"},
        {"conntrack: {tcpEstablishedTimeout: 0s}", "conntrack_tcp_timeout_established", "0s"},
        {"conntrack: {tcpEstablishedTimeout: null}", "conntrack_tcp_timeout_established", "24h"},
        {"conntrack: {tcpCloseWaitTimeout: 2h}", "conntrack_tcp_timeout_close_wait", "2h"},
        {"conntrack: {udpTimeout: 30s}", "conntrack_udp_timeout", "30s"},
        {"conntrack: {udpStreamTimeout: 180s}", "conntrack_udp_timeout_stream", "3m"},
        {"logging: {format: json}", "log_format", "json"},
        {"logging: {verbosity: 4}", "log_level", "debug"},
        {"logging: {verbosity: 3}", "log_level", "info"},
    }));
    CAPTURE(row.yaml);
    CHECK(setting(read(row.yaml).config, row.setting) == std::string(row.setting) + ": " + row.expected);
}

TEST_CASE("settings that the file does not speak of stay as they were") {
    Config base = default_config();
    base.scheduler = "wlc";
    base.node_name = "n1";
    const auto migration = read_kube_proxy_config(header + "mode: ipvs\n", "k", base);
    REQUIRE(migration);
    CHECK(migration->config == base);
}

TEST_CASE("kubeadm's file, which writes every field, has lines for what is set only") {
    CHECK(lines_of("bindAddress: 0.0.0.0\nclientConnection: {burst: null, contentType: '', kubeconfig: /k, qps: null}\n"
                   "clusterCIDR: ''\nconfigSyncPeriod: 0s\nconntrack: {maxPerCore: null, udpTimeout: 0s}\n"
                   "detectLocal: {bridgeInterface: ''}\niptables: {masqueradeBit: null, syncPeriod: 0s}\n"
                   "ipvs: {excludeCIDRs: null, scheduler: '', syncPeriod: 0s}\nmode: ''\nnodePortAddresses: null\n"
                   "winkernel: null\nfeatureGates: {}\n") ==
          std::vector<std::string>{"bindAddress: ignored: a wildcard leaves node_ip as it is",
                                   "clientConnection.kubeconfig: honoured as kubeconfig"});
}

TEST_CASE("another default for node ports is said") {
    const std::string line =
        "nodePortAddresses: not set: kube-proxy serves node ports on all addresses of a node, podferry on node_ip "
        "(setting node_port_addresses)";
    CHECK(read("mode: ipvs").lines.back() == line);
    CHECK(read("nodePortAddresses: []").lines.back() == line);
    CHECK(read("mode: nftables").lines ==
          std::vector<std::string>{"mode: nftables: ignored: podferry is IPVS with nftables"});
}

TEST_CASE("a mistake is named with file, line, field and remedy") {
    struct Row {
        std::string yaml;
        std::string expected;
    };
    const auto row = GENERATE(values<Row>({
        {"clusterCIDR: 10.244.0.0",
         "k:3: clusterCIDR: '10.244.0.0' is not a CIDR with clear host bits, such as "
         "10.96.0.0/16"},
        {"clusterCIDR: 10.0.0.0/16,10.1.0.0/16", "k:3: clusterCIDR: takes at most one CIDR of each address family"},
        {"bindAddress: 127.0.0.1", "k:3: bindAddress: '127.0.0.1' cannot be a node's address"},
        {"bindAddress: eth0", "k:3: bindAddress: 'eth0' is not an IP address"},
        {"hostnameOverride: '  '", "k:3: hostnameOverride: holds only blanks; write the Node's name, or remove it"},
        {"hostnameOverride: 7", "k:3: hostnameOverride: must be a string, not 7; put it in quotes"},
        {"metricsBindAddress: localhost", "k:3: metricsBindAddress: 'localhost' is not ADDRESS:PORT"},
        {"nodePortAddresses:\n- primary\n- 10.0.0.0/8",
         "k:3: nodePortAddresses: 'primary' beside other ranges cannot be kept; write the subnets of the nodes' "
         "addresses instead"},
        {"nodePortAddresses:\n- 10.0.0.0/8\n- 7",
         "k:5: nodePortAddresses[1]: must be a string, not 7; put it in quotes"},
        {"ipvs:\n  scheduler: fastest",
         "k:4: ipvs.scheduler: 'fastest' is not a scheduler; use one of rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf "
         "mh twos"},
        {"ipvs:\n  syncPeriod: 30", "k:4: ipvs.syncPeriod: must be a string, not 30; put it in quotes"},
        {"ipvs:\n  syncPeriod: 30 s", "k:4: ipvs.syncPeriod: '30 s' is not a duration such as 30s or 1h30m"},
        {"ipvs:\n  syncPeriod: -1s", "k:4: ipvs.syncPeriod: must be greater than 0"},
        {"ipvs: lc", "k:3: ipvs: must be an object, not the string 'lc'"},
        {"conntrack: {udpTimeout: soon}", "k:3: conntrack.udpTimeout: 'soon' is not a duration such as 30s or 1h30m"},
        {"clientConnection: {kubeconfig: k.conf}",
         "k:3: clientConnection.kubeconfig: 'k.conf' is not an absolute path"},
        {"clientConnection: {qps: many}", "k:3: clientConnection.qps: must be a number"},
        {"featureGates: {A: 1}", "k:3: featureGates.A: must be true or false, not 1"},
        {"logging: {format: xml}", "k:3: logging.format: must be text or json"},
        {"logging: {verbosity: -1}", "k:3: logging.verbosity: -1 is out of range (0..4294967295)"},
        {"mode: userspace", "k:3: mode: 'userspace' is not one of ipvs, iptables, nftables"},
        {"detectLocalMode: Pods",
         "k:3: detectLocalMode: 'Pods' is not one of ClusterCIDR, NodeCIDR, BridgeInterface, "
         "InterfaceNamePrefix"},
        {"detectLocalMode: BridgeInterface", "k:3: detectLocalMode: BridgeInterface needs detectLocal.bridgeInterface"},
        {"detectLocalMode: InterfaceNamePrefix\ndetectLocal: {bridgeInterface: cni0}",
         "k:3: detectLocalMode: InterfaceNamePrefix needs detectLocal.interfaceNamePrefix"},
        {"detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: 'cni 0'}",
         "k:4: detectLocal.bridgeInterface: 'cni 0' is no name of a network interface (at most 15 letters, digits, "
         "'-', '_', '.')"},
        {"mode: ipvs\nmode: ipvs", "k:4: mode: duplicate key"},
    }));
    CAPTURE(row.yaml);
    const auto migration = read_kube_proxy_config(header + row.yaml, "k", default_config());
    REQUIRE_FALSE(migration);
    CHECK(migration.error() == row.expected + "\n");
}

TEST_CASE("a file of another kind is refused") {
    struct Row {
        const char* yaml;
        const char* expected;
    };
    const auto row = GENERATE(values<Row>({
        {"mode: ipvs\n",
         "k:1: kind: missing; it must be KubeProxyConfiguration\n"
         "k:1: apiVersion: missing; it must be kubeproxy.config.k8s.io/v1alpha1\n"},
        {"apiVersion: v1\nkind: ConfigMap\n",
         "k:2: kind: 'ConfigMap' is not KubeProxyConfiguration; give the file inside of it (data, config.conf)\n"},
        {"apiVersion: kubeproxy.config.k8s.io/v1\nkind: KubeProxyConfiguration\n",
         "k:1: apiVersion: 'kubeproxy.config.k8s.io/v1'; it must be kubeproxy.config.k8s.io/v1alpha1\n"},
    }));
    const auto migration = read_kube_proxy_config(row.yaml, "k", default_config());
    REQUIRE_FALSE(migration);
    CHECK(migration.error() == row.expected);
}

TEST_CASE("every field is either taken or ignored for a reason") {
    for (const KubeProxyField& field : kube_proxy_fields()) {
        CAPTURE(field.path);
        const bool header_field = field.path == "kind" || field.path == "apiVersion";
        CHECK((field.migrate != nullptr) + !field.reason.empty() == (header_field ? 0 : 1));
    }
}

TEST_CASE("durations are Go's") {
    using namespace std::chrono_literals;
    struct Row {
        const char* text;
        std::optional<std::chrono::nanoseconds> expected;
    };
    const auto row = GENERATE(values<Row>({
        {"0", 0ns},          {"0s", 0ns},
        {"30s", 30s},        {"1m0s", 1min},
        {"1h30m", 90min},    {"1.5s", 1500ms},
        {"-2m", -2min},      {"+5ms", 5ms},
        {"7us", 7us},        {"3ns", 3ns},
        {".5s", 500ms},      {"5.s", 5s},
        {"1s500ms", 1500ms}, {"2562047h", 2562047h},
        {"9999999h", {}},    {"", {}},
        {"-", {}},           {"30", {}},
        {"s", {}},           {"1d", {}},
        {"1 s", {}},         {"1s ", {}},
        {".s", {}},          {"1e3s", {}},
        {"1s-1s", {}},       {"1.2.3s", {}},
    }));
    CAPTURE(row.text);
    CHECK(base::parse_go_duration(row.text) == row.expected);
}
