// The configuration: what it accepts, and what it says of mistakes.
#include "proxy/config/config_beside.hpp"

#include <catch2/catch.hpp>

using proxy::parse_config;

namespace {

struct Mistake {
    const char* yaml;
    const char* expected;  ///< the whole error text
};

}  // namespace

TEST_CASE("an empty configuration is the default one") {
    CHECK(parse_config("", "c.yaml") == proxy::default_config());
    CHECK(parse_config("# nothing\n", "c.yaml") == proxy::default_config());
}

TEST_CASE("every setting is read") {
    const auto config = parse_config(R"(
service_cluster_ip_range: 10.96.0.0/16,fd00:96::/112
network_cidr: [10.1.0.0/16, "fd00:1::/64"]
service_node_port_range: 31000-31999
node_name: n1
node_ip: 192.168.50.10
node_port_addresses: [192.168.50.0/24]
audit_period: 2s
folder_debounce: 50ms
metrics_bind_address: ""
healthz_bind_address: "[::]:10256"
external_ips: [203.0.113.0/24, "2001:db8:e::/64"]
log_format: json
)",
                                     "c.yaml");
    REQUIRE(config);
    CHECK(to_string(config->service_cluster_ip_range[1]) == "fd00:96::/112");
    CHECK(config->network_cidr.size() == 2);
    CHECK_FALSE(config->external_ips.all);
    CHECK(config->external_ips.networks.size() == 2);
    CHECK(config->service_node_port_range == proxy::PortRange{31000, 31999});
    CHECK(config->node_ip[0].to_string() == "192.168.50.10");
    CHECK(config->audit_period == std::chrono::seconds(2));
    CHECK(config->folder_debounce == std::chrono::milliseconds(50));
    CHECK(config->metrics_bind_address.empty());
    CHECK(config->healthz_bind_address[0].address.is_v6());
    CHECK(config->log_format == proxy::log::Format::json);
}

TEST_CASE("durations of settings are those of annotations: Go's") {
    struct Row {
        const char* text;
        std::chrono::milliseconds time;
    };
    const Row row = GENERATE(Row{"90s", std::chrono::seconds(90)}, Row{"1m30s", std::chrono::seconds(90)},
                             Row{"1.5h", std::chrono::minutes(90)}, Row{"0", std::chrono::seconds(0)},
                             Row{"1h0m0.5s", std::chrono::milliseconds(3'600'500)});
    const auto config = parse_config(std::string("drain_timeout: ") + row.text, "c.yaml");
    REQUIRE(config);
    CHECK(config->drain_timeout == row.time);
}

TEST_CASE("a listening address of one link has its zone") {
    const auto config = parse_config("metrics_bind_address: \"[fe80::1%eth0]:10249\"", "c.yaml");
    REQUIRE(config);
    CHECK(config->metrics_bind_address[0].address.to_string() == "fe80::1");
    CHECK(config->metrics_bind_address[0].zone == "%eth0");
    CHECK(parse_config(to_yaml(*config), "c.yaml") == *config);
}

TEST_CASE("the printed configuration reads back as the same one") {
    auto config = proxy::default_config();
    config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/16")};
    config.node_name = "n1";
    config.audit_period = std::chrono::milliseconds(1500);
    config.metrics_bind_address.clear();
    config.external_ips.all = false;
    CHECK(parse_config(to_yaml(config), "c.yaml") == config);
    config.external_ips.networks = {*base::parse_prefix("203.0.113.0/24")};
    CHECK(parse_config(to_yaml(config), "c.yaml") == config);
    CHECK(parse_config(to_yaml(proxy::default_config()), "c.yaml") == proxy::default_config());
}

TEST_CASE("a mistake is named with file, line, column, setting and remedy") {
    const auto mistake = GENERATE(
        Mistake{"node_nam: n1\n", "c.yaml:1:1: node_nam: unknown setting; did you mean 'node_name'?\n"},
        Mistake{"zzz: 1\n", "c.yaml:1:1: zzz: unknown setting; `podferry node --check-config` lists the settings\n"},
        Mistake{"node_name: a\nnode_name: b\n", "c.yaml:2:1: node_name: given twice; remove one of them\n"},
        Mistake{"service_cluster_ip_range: 10.96.0.1/16\n",
                "c.yaml:1:27: service_cluster_ip_range: '10.96.0.1/16' is not a CIDR with clear host bits, such as "
                "10.96.0.0/16\n"},
        Mistake{"service_cluster_ip_range: [10.0.0.0/16, 10.1.0.0/16]\n",
                "c.yaml:1:27: service_cluster_ip_range: takes at most one CIDR of each address family\n"},
        Mistake{"service_node_port_range: 0-100\n",
                "c.yaml:1:26: service_node_port_range: '0-100' is not a range of ports FIRST-LAST within 1-65535\n"},
        Mistake{"service_node_port_range: 30000-65536\n",
                "c.yaml:1:26: service_node_port_range: '30000-65536' is not a range of ports FIRST-LAST within "
                "1-65535\n"},
        Mistake{"service_node_port_range: 32767-30000\n",
                "c.yaml:1:26: service_node_port_range: '32767-30000' is not a range of ports FIRST-LAST within "
                "1-65535\n"},
        Mistake{"external_ips: any\n",
                "c.yaml:1:15: external_ips: 'any' is not a CIDR with clear host bits, such as 10.96.0.0/16; or all, or "
                "none\n"},
        Mistake{"external_ips: []\n", "c.yaml:1:15: external_ips: must be all, none or a list of CIDRs\n"},
        Mistake{"node_ip: 127.0.0.1\n", "c.yaml:1:10: node_ip: '127.0.0.1' cannot be a node's address\n"},
        Mistake{"node_ip: host\n", "c.yaml:1:10: node_ip: 'host' is not an IP address\n"},
        Mistake{"node_name: {a: b}\n", "c.yaml:1:12: node_name: must be a value or a list of values\n"},
        Mistake{"audit_period: 60\n",
                "c.yaml:1:15: audit_period: must be a duration with its units (ms, s, m, h), such as 90s or "
                "1m30s, of 1s..1h\n"},
        Mistake{"audit_period: 2h\n",
                "c.yaml:1:15: audit_period: must be a duration with its units (ms, s, m, h), such as 90s or "
                "1m30s, of 1s..1h\n"},
        Mistake{"folder_debounce: 1500us\n",
                "c.yaml:1:18: folder_debounce: must be a duration with its units (ms, s, m, h), such as 90s or "
                "1m30s, of 0s..10s\n"},
        Mistake{"drain_timeout: -1s\n",
                "c.yaml:1:16: drain_timeout: must be a duration with its units (ms, s, m, h), such as 90s or 1m30s, of "
                "0s..24h\n"},
        Mistake{"masquerade_all: maybe\n", "c.yaml:1:17: masquerade_all: must be true or false\n"},
        Mistake{"scheduler: fastest\n",
                "c.yaml:1:12: scheduler: 'fastest' is not a scheduler; use one of rr wrr lc wlc "
                "lblc lblcr dh sh sed nq fo ovf mh twos\n"},
        Mistake{"node_check: maybe\n", "c.yaml:1:13: node_check: must be off, observe or enforce\n"},
        Mistake{"node_check_service: nodes\n",
                "c.yaml:1:21: node_check_service: must be NAMESPACE/NAME of a Service, or empty\n"},
        Mistake{"drain_timeout: 300\n",
                "c.yaml:1:16: drain_timeout: must be a duration with its units (ms, s, m, h), such as 90s or 1m30s, of "
                "0s..24h\n"},
        Mistake{"drain_timeout: 25h\n",
                "c.yaml:1:16: drain_timeout: must be a duration with its units (ms, s, m, h), such as 90s or 1m30s, of "
                "0s..24h\n"},
        Mistake{"metrics_bind_address: 10249\n", "c.yaml:1:23: metrics_bind_address: '10249' is not ADDRESS:PORT\n"},
        Mistake{"healthz_bind_address: 0.0.0.0:70000\n",
                "c.yaml:1:23: healthz_bind_address: '0.0.0.0:70000' is not ADDRESS:PORT with a port of 1..65535\n"},
        Mistake{"container_runtime_socket: run.sock\n",
                "c.yaml:1:27: container_runtime_socket: 'run.sock' is not an absolute path\n"},
        Mistake{"socket: run.sock\n", "c.yaml:1:9: socket: 'run.sock' is not an absolute path\n"},
        Mistake{"log_level: loud\n", "c.yaml:1:12: log_level: must be debug, info, warning or error\n"},
        Mistake{"fwmark: 17\n", "c.yaml:1:9: fwmark: '17' is not VALUE/MASK, such as 0x50460000/0xffff0000\n"},
        Mistake{"fwmark: 0x10/0xff00\n",
                "c.yaml:1:9: fwmark: the mask must be ones followed by at least 8 zero bits, such as 0xffff0000\n"},
        Mistake{"fwmark: 0x10/0xffff0000\n", "c.yaml:1:9: fwmark: the value must be inside the mask, and not zero\n"},
        Mistake{"route_protocol: 4\n", "c.yaml:1:17: route_protocol: must be a whole number of 5..252\n"},
        Mistake{"conntrack_max_per_core: -1\n",
                "c.yaml:1:25: conntrack_max_per_core: must be a whole number of 0..16777216\n"},
        Mistake{"ipvs_tcp_timeout: 577h\n",
                "c.yaml:1:19: ipvs_tcp_timeout: must be a duration with its units (ms, s, m, h), such as 90s or 1m30s, "
                "of 0s..576h\n"},
        Mistake{"ipvs_conn_tab_bits: 21\n", "c.yaml:1:21: ipvs_conn_tab_bits: must be a whole number of 8..20\n"},
        Mistake{"- a\n", "c.yaml:1:1: must be a mapping of settings to values\n"},
        Mistake{"a: 1\n---\nb: 2\n", "c.yaml:2:1: more than one YAML document; a configuration is one\n"},
        Mistake{"detect_local_mode: Pods\n",
                "c.yaml:1:20: detect_local_mode: must be ClusterCIDR, NodeCIDR, BridgeInterface or "
                "InterfaceNamePrefix\n"},
        Mistake{"pod_bridge_interface: a-name-too-long-\n",
                "c.yaml:1:23: pod_bridge_interface: 'a-name-too-long-' is no name of a network interface (at most 15 "
                "letters, digits, '-', '_', '.')\n"},
        Mistake{
            "pod_interface_name_prefix: 'cali*'\n",
            "c.yaml:1:28: pod_interface_name_prefix: 'cali*' is no name of a network interface (at most 15 letters, "
            "digits, '-', '_', '.')\n"},
        Mistake{"detect_local_mode: BridgeInterface\npod_interface_name_prefix: cali\n",
                "c.yaml: detect_local_mode BridgeInterface needs pod_bridge_interface\n"
                "c.yaml: pod_interface_name_prefix has no effect: detect_local_mode is BridgeInterface; set that to "
                "InterfaceNamePrefix, or leave it out\n"},
        Mistake{"service_cluster_ip_range: 10.96.0.0/16\nnetwork_cidr: 10.0.0.0/8\n",
                "c.yaml: service_cluster_ip_range 10.96.0.0/16 overlaps network_cidr 10.0.0.0/8: a ClusterIP could be "
                "a pod's address; choose separate ranges, or set allow_range_overlap: true\n"});
    const auto result = parse_config(mistake.yaml, "c.yaml");
    REQUIRE_FALSE(result);
    CHECK(result.error() == mistake.expected);
}

TEST_CASE("broken YAML is named with its place") {
    const auto result = parse_config("node_name: [a\n", "c.yaml");
    REQUIRE_FALSE(result);
    CHECK_THAT(result.error(), Catch::StartsWith("c.yaml:2:1: not valid YAML: "));
}

TEST_CASE("all mistakes of a file are reported at once") {
    const auto result = parse_config("a: 1\nnode_ip: x\n", "c.yaml");
    REQUIRE_FALSE(result);
    CHECK(std::count(result.error().begin(), result.error().end(), '\n') == 2);
}

TEST_CASE("keys of others beside the settings are left to them, and to nobody else") {
    const char* text = "log_level: debug\nfront_ends: [{a: {b: c}}]\n";
    const auto config = proxy::parse_config_beside(text, "edge.yaml", {"front_ends"});
    REQUIRE(config);
    CHECK(config->log_level == proxy::log::Level::debug);
    CHECK_FALSE(proxy::parse_config(text, "edge.yaml"));
    const auto twice = proxy::parse_config_beside("front_ends: []\nfront_ends: []\n", "edge.yaml", {"front_ends"});
    REQUIRE_FALSE(twice);
    CHECK_THAT(twice.error(), Catch::Contains("front_ends: given twice"));
}

TEST_CASE("a socket whose path the kernel cannot take is a mistake") {
    const auto line = [](std::size_t size) {
        return "container_runtime_socket: /" + std::string(size - 1, 'x') + "\n";
    };
    CHECK(parse_config(line(107), "c.yaml"));
    CHECK_THAT(parse_config(line(108), "c.yaml").error(),
               Catch::EndsWith("' has 108 bytes; the path of a socket has at most 107\n"));
}
