// Which networks are pods' and Services': by the configuration, the Node and ServiceCIDRs, as they change.
#include "proxy/host/networks.hpp"

#include <fmt/ranges.h>
#include <catch2/catch.hpp>

using namespace proxy;

namespace {

using Texts = std::vector<std::string>;

std::vector<base::Prefix> prefixes(const Texts& texts) {
    std::vector<base::Prefix> all;
    for (const std::string& text : texts)
        all.push_back(*base::parse_prefix(text));
    return all;
}

Texts texts(const std::vector<base::Prefix>& prefixes) {
    Texts all;
    for (const base::Prefix& prefix : prefixes)
        all.push_back(to_string(prefix));
    return all;
}

std::vector<ServiceRange> ranges(const Texts& texts) {
    std::vector<ServiceRange> all;
    for (const std::string& text : texts)
        all.push_back({"kubernetes", *base::parse_prefix(text)});
    return all;
}

Config config_of(const Texts& services, const Texts& pods, DetectLocalMode mode = DetectLocalMode::cluster_cidr) {
    Config config = default_config();
    config.node_name = "node";
    config.service_cluster_ip_range = prefixes(services);
    config.network_cidr = prefixes(pods);
    config.detect_local_mode = mode;
    return config;
}

const std::vector<NodeNetwork> host = {{*base::parse_prefix("192.168.50.0/24"), "interface eth0's subnet"},
                                       {*base::parse_prefix("0.0.0.0/0"), "the default route"},
                                       {*base::parse_prefix("10.96.0.10/32"), "interface kube-ipvs0's subnet"}};

api::Transaction transaction(std::vector<api::Object> upserts, std::vector<api::Removal> removals = {}) {
    api::Transaction made;
    for (api::Object& object : upserts)
        made.upserts.push_back({std::move(object), {}});
    made.removals = std::move(removals);
    return made;
}

api::Node node(const Texts& pod_cidrs) {
    api::Node node;
    node.name = {"", "node"};
    node.pod_cidrs = prefixes(pod_cidrs);
    return node;
}

api::ServiceCidr service_cidr(const std::string& name, const Texts& cidrs) {
    return {{"", name}, prefixes(cidrs)};
}

std::vector<NodeNetwork> read_host() {
    return host;
}

}  // namespace

TEST_CASE("who is a pod, by mode") {
    struct Row {
        DetectLocalMode mode;
        std::optional<Texts> node;
        Texts pods;      // whose clients count as pods
        Texts all_pods;  // who must not be reset, and whose addresses no Service may claim
        std::size_t problems;
    };
    using enum DetectLocalMode;
    const Texts none;
    const Texts cluster = {"10.244.0.0/16", "fd00:244::/56"};
    const auto row = GENERATE_COPY(
        Row{cluster_cidr, std::nullopt, cluster, cluster, 0},
        Row{cluster_cidr, Texts{"10.9.1.0/24"}, cluster, cluster, 0}, Row{node_cidr, std::nullopt, none, cluster, 1},
        Row{node_cidr, none, none, cluster, 1},
        Row{node_cidr, Texts{"10.244.3.0/24", "fd00:244:0:3::/64"}, {"10.244.3.0/24", "fd00:244:0:3::/64"}, cluster, 0},
        Row{node_cidr, Texts{"10.9.1.0/24"}, {"10.9.1.0/24"}, {"10.244.0.0/16", "fd00:244::/56", "10.9.1.0/24"}, 0},
        Row{bridge_interface, Texts{"10.244.3.0/24"}, none, cluster, 0},
        Row{interface_name_prefix, std::nullopt, none, cluster, 0});
    const Config config = config_of({}, cluster, row.mode);
    ClusterNetworks known;
    if (row.node)
        known.pods = prefixes(*row.node);
    const NetworkPlan plan = plan_networks(config, known, {});
    CHECK(texts(plan.rules.pods) == row.pods);
    CHECK(texts(plan.rules.all_pods) == row.all_pods);
    CHECK(plan.pod_networks == prefixes(row.all_pods));
    CHECK(plan.problems.size() == row.problems);
    CHECK(plan.rules.notes.size() == (row.mode == node_cidr ? row.pods.size() : 0));
}

TEST_CASE("where no Service is, by setting and ServiceCIDRs") {
    struct Row {
        Texts setting;
        Texts objects;
        Texts services;
        std::size_t problems = 0;
    };
    const auto row = GENERATE(
        Row{{}, {}, {}}, Row{{"10.97.0.0/16"}, {}, {"10.97.0.0/16"}}, Row{{}, {"10.97.0.0/16"}, {"10.97.0.0/16"}},
        Row{{"10.97.0.0/16"}, {"10.97.0.0/16", "fd00:97::/112"}, {"10.97.0.0/16", "fd00:97::/112"}},
        Row{{"10.97.0.0/16"}, {"10.98.0.0/16", "10.97.0.0/24"}, {"10.97.0.0/16", "10.98.0.0/16"}},
        Row{{}, {"192.168.0.0/16", "10.98.0.0/16"}, {"10.98.0.0/16"}, 1},
        Row{{}, {"10.244.3.0/24", "10.96.0.0/16"}, {}, 2});
    CAPTURE(row.setting, row.objects);
    ClusterNetworks known;
    known.services = ranges(row.objects);
    const NetworkPlan plan = plan_networks(config_of(row.setting, {"10.244.0.0/16"}), known, host);
    CHECK(texts(plan.rules.services) == row.services);
    CHECK(plan.service_ranges == prefixes(row.services));
    CHECK(plan.problems.size() == row.problems);
}

TEST_CASE("a range that clashes is named with what it clashes with") {
    ClusterNetworks known;
    known.services = ranges({"192.168.0.0/16", "10.244.0.0/20"});
    const NetworkPlan plan = plan_networks(config_of({}, {"10.244.0.0/16"}), known, host);
    REQUIRE(plan.problems.size() == 2);
    CHECK_THAT(plan.problems[0], Catch::StartsWith("ServiceCIDR kubernetes: 192.168.0.0/16 overlaps 192.168.50.0/24 "
                                                   "(interface eth0's subnet): "));
    CHECK_THAT(plan.problems[1],
               Catch::StartsWith("ServiceCIDR kubernetes: 10.244.0.0/20 overlaps the pod network 10.244.0.0/16: "));
}

TEST_CASE("where other hosts are in the ranges, nothing is dropped, and nothing is a problem") {
    Config config = config_of({"10.97.0.0/16"}, {});
    config.allow_range_overlap = true;
    ClusterNetworks known;
    known.services = ranges({"10.98.0.0/16", "192.168.0.0/16"});
    const NetworkPlan plan = plan_networks(config, known, host);
    CHECK(plan.rules.services.empty());
    CHECK(plan.service_ranges == prefixes({"10.97.0.0/16", "10.98.0.0/16"}));
    CHECK(plan.problems.empty());
}

TEST_CASE("ranges and what is said of them are bounded") {
    ClusterNetworks known;
    known.services.emplace();
    const bool clash = GENERATE(false, true);
    for (int i = 0; i < 2000; ++i)
        known.services->push_back({"c", *base::parse_prefix((clash ? "10.244." : "10.98.") + std::to_string(i / 250) +
                                                            "." + std::to_string(i % 250) + "/32")});
    const NetworkPlan plan = plan_networks(config_of({}, {"10.244.0.0/16"}), known, host);
    CHECK(plan.rules.services.size() == (clash ? 0 : most_service_ranges));
    CHECK(plan.rules.notes.size() == plan.rules.services.size());
    CHECK(plan.problems.size() == (clash ? 10 : 1));
}

TEST_CASE("objects are followed: they come, change, are several, and go") {
    const Config config = config_of({}, {}, DetectLocalMode::node_cidr);
    Networks networks(config);
    api::Store store;
    const auto follow = [&](api::Transaction changes, bool knows = true) {
        store.apply(std::move(changes));
        return networks.follow(store, knows, read_host);
    };
    const auto pods = [&] { return fmt::format("{}", fmt::join(texts(networks.plan().rules.pods), " ")); };
    const auto services = [&] { return fmt::format("{}", fmt::join(texts(networks.plan().rules.services), " ")); };
    CHECK(networks.plan().problems.size() == 1);
    CHECK(follow(transaction({node({})})));  // the problem is another one
    CHECK(networks.plan().problems.size() == 1);
    CHECK(follow(transaction({node({"10.244.1.0/24"})})));
    CHECK(pods() == "10.244.1.0/24");
    CHECK(networks.plan().problems.empty());
    CHECK_FALSE(follow(transaction({node({"10.244.1.0/24"})})));
    CHECK(follow(transaction({service_cidr("kubernetes", {"10.97.0.0/16"})})));
    CHECK(follow(transaction({service_cidr("more", {"10.98.0.0/16", "fd00:98::/112"})})));
    CHECK(services() == "10.97.0.0/16 10.98.0.0/16 fd00:98::/112");
    CHECK(follow(transaction({service_cidr("more", {"10.99.0.0/16"})})));
    CHECK(services() == "10.97.0.0/16 10.99.0.0/16");
    CHECK(follow(transaction({node({"10.244.2.0/24"})})));
    CHECK(pods() == "10.244.2.0/24");
    CHECK(follow(transaction({}, {{api::Kind::service_cidr, {"", "kubernetes"}}})));
    CHECK(services() == "10.99.0.0/16");
    CHECK_FALSE(follow(transaction({}, {{api::Kind::node, {"", "node"}}})));  // it is about to go: what it had stays
    CHECK(pods() == "10.244.2.0/24");
}

TEST_CASE("another node's podCIDRs are nothing to this one") {
    const Config config = config_of({}, {}, DetectLocalMode::node_cidr);
    Networks networks(config);
    api::Store store;
    api::Node other = node({"10.244.7.0/24"});
    other.name.name = "other";
    store.apply(transaction({other}));
    CHECK_FALSE(networks.follow(store, true, read_host));
    CHECK(networks.plan().rules.pods.empty());
}

TEST_CASE("what was known before a restart holds until the cluster has said it again") {
    const Config config = config_of({"10.97.0.0/16"}, {}, DetectLocalMode::node_cidr);
    api::Store store;
    store.apply(transaction({node({"10.244.1.0/24"}), service_cidr("kubernetes", {"10.98.0.0/16"}),
                             service_cidr("odd", {"192.168.0.0/16"})}));
    Networks before(config);
    before.follow(store, true, read_host);

    Networks after(config);
    after.remember(before.plan().rules.notes);
    CHECK(after.plan().rules == before.plan().rules);  // so that the table is recognized
    const api::Store nothing;
    CHECK_FALSE(after.follow(nothing, false, read_host));
    after.follow(store, true, read_host);
    CHECK(after.plan() == before.plan());

    Networks later(config);
    later.remember(before.plan().rules.notes);
    api::Store emptied;
    emptied.apply(transaction({node({})}));
    CHECK(later.follow(emptied, true, read_host));
    CHECK(later.plan().rules.pods.empty());
    CHECK(texts(later.plan().rules.services) == Texts{"10.97.0.0/16"});
    CHECK(later.plan().rules.notes.empty());

    Networks odd(config);
    odd.remember({"pods", "pods x", "services 10.0.0.0/99", "something"});
    CHECK(odd.plan() == Networks(config).plan());
}

TEST_CASE("the host's own networks are looked at when objects change, or when asked to") {
    const Config config = config_of({}, {});
    Networks networks(config);
    api::Store store;
    int reads = 0;
    bool clash = true;
    const auto read = [&] {
        ++reads;
        return clash ? std::vector<NodeNetwork>{{*base::parse_prefix("10.98.7.0/24"), "the route via eth1"}}
                     : std::vector<NodeNetwork>{};
    };
    networks.follow(store, true, read, true);
    CHECK(reads == 0);
    store.apply(transaction({service_cidr("kubernetes", {"10.98.0.0/16"})}));
    networks.follow(store, true, read);
    networks.follow(store, true, read);
    CHECK(reads == 1);
    CHECK(networks.plan().rules.services.empty());
    clash = false;
    CHECK(networks.follow(store, true, read, true));
    CHECK(networks.plan().rules.services.size() == 1);
    CHECK_FALSE(networks.follow(store, true, read, true));
}
