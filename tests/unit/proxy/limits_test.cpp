// Which settings of the host are wanted, by configuration and host.
#include "proxy/host/limits.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "proxy/host/port_set.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const HostFacts host{{6, 1}, 4, ""};

/// "VALUE", ">=VALUE", or "-" when it is left alone.
std::string wanted(const Config& config, const HostFacts& facts, const std::string& name) {
    const HostSettings settings = wanted_host_settings(config, facts);
    for (const netlink::Sysctl& sysctl : settings.sysctls)
        if (sysctl.name == name)
            return (sysctl.fit == netlink::Sysctl::Fit::at_least ? ">=" : "") + sysctl.value;
    return "-";
}

}  // namespace

TEST_CASE("the defaults are kube-proxy's") {
    struct Row {
        const char* name;
        const char* value;
    };
    const auto row = GENERATE(values<Row>({
        {"net.ipv4.vs.conntrack", "1"},
        {"net.ipv4.vs.expire_nodest_conn", "1"},
        {"net.ipv4.vs.expire_quiescent_template", "1"},
        {"net.ipv4.vs.conn_reuse_mode", "-"},
        {"net.ipv4.ip_forward", "1"},
        {"net.ipv6.conf.all.forwarding", "-"},
        {"net.ipv4.conf.all.route_localnet", "-"},
        {"net.ipv4.conf.all.arp_ignore", "-"},
        {"net.netfilter.nf_conntrack_max", ">=131072"},
        {"net.netfilter.nf_conntrack_buckets", ">=32768"},
        {"net.netfilter.nf_conntrack_tcp_timeout_established", "86400"},
        {"net.netfilter.nf_conntrack_tcp_timeout_close_wait", "3600"},
        {"net.netfilter.nf_conntrack_tcp_be_liberal", "-"},
        {"net.netfilter.nf_conntrack_udp_timeout", "-"},
        {"net.netfilter.nf_conntrack_udp_timeout_stream", "-"},
        {"net.ipv4.ip_local_reserved_ports", "30000-32767"},
    }));
    CAPTURE(row.name);
    CHECK(wanted(default_config(), host, row.name) == row.value);
    CHECK(wanted_host_settings(default_config(), host).problems.empty());
}

TEST_CASE("every setting of the host has its reason") {
    for (const netlink::Sysctl& sysctl : wanted_host_settings(default_config(), host).sysctls)
        CHECK(sysctl.why.size() > 10);
}

TEST_CASE("what the configuration says is what is wanted") {
    struct Row {
        const char* yaml;
        const char* name;
        const char* value;
    };
    const auto row = GENERATE(values<Row>({
        {"conntrack_max_per_core: 0", "net.netfilter.nf_conntrack_max", "-"},
        {"conntrack_max_per_core: 0", "net.netfilter.nf_conntrack_buckets", "-"},
        {"conntrack_max_per_core: 100000", "net.netfilter.nf_conntrack_max", ">=400000"},
        {"conntrack_min: 1000000", "net.netfilter.nf_conntrack_buckets", ">=250000"},
        {"conntrack_tcp_timeout_established: 0s", "net.netfilter.nf_conntrack_tcp_timeout_established", "-"},
        {"conntrack_tcp_timeout_established: 1500ms", "net.netfilter.nf_conntrack_tcp_timeout_established", "2"},
        {"conntrack_tcp_timeout_close_wait: 2m", "net.netfilter.nf_conntrack_tcp_timeout_close_wait", "120"},
        {"conntrack_tcp_be_liberal: true", "net.netfilter.nf_conntrack_tcp_be_liberal", "1"},
        {"conntrack_udp_timeout: 10s", "net.netfilter.nf_conntrack_udp_timeout", "10"},
        {"conntrack_udp_timeout_stream: 1h", "net.netfilter.nf_conntrack_udp_timeout_stream", "3600"},
        {"reserve_node_ports: false", "net.ipv4.ip_local_reserved_ports", "-"},
        {"service_node_port_range: 20000-20001", "net.ipv4.ip_local_reserved_ports", "20000-20001"},
    }));
    CAPTURE(row.yaml);
    CHECK(wanted(*parse_config(row.yaml, "c"), host, row.name) == row.value);
}

TEST_CASE("connection tracking is sized by CPUs, with a floor") {
    struct Row {
        int per_core;
        int min;
        int cpus;
        int entries;
    };
    const auto row =
        GENERATE(Row{32768, 131072, 1, 131072}, Row{32768, 131072, 4, 131072}, Row{32768, 131072, 5, 163840},
                 Row{32768, 0, 2, 65536}, Row{0, 131072, 64, 0}, Row{1, 0, 0, 1}, Row{16'777'216, 0, 1024, 1 << 30});
    Config config = default_config();
    config.conntrack_max_per_core = row.per_core;
    config.conntrack_min = row.min;
    CHECK(conntrack_entries(config, row.cpus) == row.entries);
}

TEST_CASE("conn_reuse_mode follows the kernel's version") {
    struct Row {
        const char* release;
        const char* value;
        std::size_t problems;
    };
    const auto row = GENERATE(values<Row>({{"4.0.9", "-", 1},
                                           {"4.1.0", "0", 0},
                                           {"5.8.18-generic", "0", 0},
                                           {"5.9.0", "-", 0},
                                           {"5.10.0-28-amd64", "-", 0},
                                           {"6.1.0-44-cloud-amd64", "-", 0}}));
    CAPTURE(row.release);
    const HostFacts facts{parse_kernel_version(row.release).value(), 1, ""};
    CHECK(wanted(default_config(), facts, "net.ipv4.vs.conn_reuse_mode") == row.value);
    CHECK(wanted_host_settings(default_config(), facts).problems.size() == row.problems);
}

TEST_CASE("a kernel's version is two numbers") {
    CHECK(parse_kernel_version("10.12-rc1") == KernelVersion{10, 12});
    for (const char* wrong : {"", "6", "6.", "six.one"})
        CHECK_FALSE(parse_kernel_version(wrong));
}

TEST_CASE("node ports are added to the ports that others have reserved") {
    struct Row {
        const char* present;
        const char* wanted;
    };
    const auto row = GENERATE(values<Row>({{"", "30000-32767"},
                                           {"8080", "8080,30000-32767"},
                                           {"30000-32767", "-"},
                                           {"1-65535", "-"},
                                           {"30000-32766", "30000-32767"},
                                           {"29999,32768-40000", "29999-40000"},
                                           {"5,7,30001-30002", "5,7,30000-32767"}}));
    CAPTURE(row.present);
    CHECK(wanted(default_config(), {{6, 1}, 1, row.present}, "net.ipv4.ip_local_reserved_ports") == row.wanted);
}

TEST_CASE("a list of reserved ports that cannot be added to is left alone, and said") {
    std::string many;
    for (int port = 1; many.size() < 4000; port += 2)
        many += std::to_string(port) + ",";
    many.pop_back();
    for (const std::string& present : {std::string("1-2-3"), many}) {
        const HostFacts facts{{6, 1}, 1, present};
        CHECK(wanted(default_config(), facts, "net.ipv4.ip_local_reserved_ports") == "-");
        CHECK(wanted_host_settings(default_config(), facts).problems.size() == 1);
    }
}

TEST_CASE("sets of ports are written as the kernel does") {
    for (const char* text : {"", "0", "65535", "1,3", "1-2", "8080,30000-32767"})
        CHECK(to_string(parse_ports(text).value()) == text);
    CHECK(to_string(parse_ports("3,1,2,9-11,10-12").value()) == "1-3,9-12");
    for (const char* wrong : {"a", "1,", ",1", "65536", "2-1", "1-", "-1", "1 2", "1-2-3", "1;2"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_ports(wrong));
    }
}

TEST_CASE("what podferry has reserved is taken back only when it is known to be its own") {
    const Reservation first = reserved({}, "boot1", "8080", "8080,30000-32767");
    CHECK(first == Reservation{"boot1", "30000-32767", "8080,30000-32767"});
    CHECK(released(first, "boot1", "8080,30000-32767") == "8080");
    CHECK_FALSE(released(first, "boot2", "8080,30000-32767"));
    CHECK_FALSE(released(first, "boot1", "8080,9090,30000-32767"));  // somebody has written since
    // Ports that were reserved before are not ours.
    CHECK(released(reserved({}, "b", "30000-31000", "30000-32767"), "b", "30000-32767") == "30000-31000");
    // The range has grown: what was ours stays so.
    const Reservation grown = reserved(first, "boot1", "8080,30000-32767", "8080,30000-32999");
    CHECK(released(grown, "boot1", "8080,30000-32999") == "8080");
    // Somebody has written in between: only what has been added since.
    const Reservation again = reserved(first, "boot1", "30000-30009", "30000-32767");
    CHECK(released(again, "boot1", "30000-32767") == "30000-30009");
    CHECK(released(reserved(first, "boot2", "30000-30009", "30000-32767"), "boot2", "30000-32767") == "30000-30009");
}

TEST_CASE("the record of reserved ports survives its file") {
    const Reservation record{"b-1", "30000-32767", "8080,30000-32767"};
    CHECK(parse_reservation(to_text(record)) == record);
    for (const char* wrong : {"", "b\n", "b\n1"})
        CHECK_FALSE(parse_reservation(wrong));
}

TEST_CASE("IPVS's timeouts: longer than TCP keepalive by default, the others are the kernel's") {
    CHECK(wanted_host_settings(default_config(), host).timeouts == netlink::ipvs::Timeouts{7800, 0, 0});
    Config config = default_config();
    config.ipvs_tcp_timeout = 0ms;
    config.ipvs_tcpfin_timeout = 30s;
    config.ipvs_udp_timeout = 1ms;
    CHECK(wanted_host_settings(config, host).timeouts == netlink::ipvs::Timeouts{0, 30, 1});
}

TEST_CASE("an Event tells of each setting that is read-only once") {
    ReadOnlyNews news;
    struct Row {
        const char* what;
        std::vector<std::string> names;
        const char* told;  // empty: no Event
    };
    const Row rows[] = {
        {"all can be written", {}, ""},
        {"two cannot", {"net.a", "net.b"}, "cannot set net.a, net.b, and goes on"},
        {"the next audit", {"net.a", "net.b"}, ""},
        {"one has been set by hand", {"net.b"}, ""},
        {"and is wrong again", {"net.a", "net.b"}, ""},
        {"somebody has changed another one", {"net.a", "net.c"}, "cannot set net.a, net.c, and goes on"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const std::string told = news.news_of(row.names).value_or("");
        CHECK(told.empty() == std::string_view(row.told).empty());
        CHECK(told.find(row.told) != std::string::npos);
    }
}

TEST_CASE("a connection table that is too small is said with the size that it should have") {
    struct Row {
        std::uint64_t connections;
        std::uint32_t lists;
        bool grows;
        const char* option;  // empty: all is well
    };
    const auto row = GENERATE(values<Row>({{0, 4096, false, ""},
                                           {16'384, 4096, false, ""},
                                           {16'385, 4096, false, "conn_tab_bits=15'"},
                                           {32'768, 4096, false, "conn_tab_bits=15'"},
                                           {32'769, 4096, false, "conn_tab_bits=16'"},
                                           {5'000'000, 65'536, false, "conn_tab_bits=20'"},
                                           {50'000'000, 1 << 20, false, ""},
                                           {1'000'000, 0, false, ""},
                                           {8'192, 4096, true, ""},
                                           {8'193, 4096, true, "more than 8192 connections in 4096 lists"},
                                           {8'193, 4096, true, "conn_tab_bits=15'"},
                                           {8'193, 4096, true, "the largest size is chosen"},
                                           {8'193, 4096, true, "net.ipv4.vs.conn_lfactor its default"},
                                           {1'000'000, 0, true, ""}}));
    CAPTURE(row.connections);
    const auto found = table_too_small(row.connections, row.lists, row.grows);
    CHECK(found.has_value() == (std::string(row.option) != ""));
    if (found)
        CHECK_THAT(*found, Catch::Contains(row.option));
}
