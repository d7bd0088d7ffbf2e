// An engine in a world that the test makes up.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "build.hpp"
#include "proxy/engine/engine_problems.hpp"
#include "proxy/engine/service_view.hpp"

namespace build {

using namespace proxy;

/// A NodePort Service with externalTrafficPolicy Local and a TCP port 80, 30080 at nodes: clients from outside get
/// other endpoints than the others, so it has virtual servers with marks.
inline api::Service local_node_port(const std::string& address) {
    auto made = service("web", address);
    made.type = api::ServiceType::node_port;
    made.external_traffic_policy = api::TrafficPolicy::local;
    made.ports[0].node_port = 30080;
    return made;
}

/// The same with a UDP port of these numbers too.
inline api::Service local_node_ports(const std::string& address) {
    auto made = local_node_port(address);
    made.ports = {{"tcp", api::Protocol::tcp, 80, std::uint16_t{8080}, 30080},
                  {"udp", api::Protocol::udp, 80, std::uint16_t{8080}, 30080}};
    return made;
}

/// A pod of Service web on that node; n1 is the engine's own.
inline api::Pod pod_on(const std::string& node, const std::string& name, const std::string& address) {
    auto made = pod("web", name, address, false);
    made.node_name = node;
    return made;
}

/// An engine whose verdicts and kernel weights the test sets by hand.
struct World {
    std::map<std::string, health::Verdict> verdicts;  // by pod, "shop/web-1"
    std::map<std::string, int> kernel;                // "10.1.0.11:8080" -> weight, in each virtual server
    netlink::RealServers real_servers;                // of each virtual server, too
    Engine engine;

    explicit World(bool addresses_given = false, const Config& given = config())
        : engine(given, facts(), {}, addresses_given) {}

    static Config config() {
        Config config = default_config();
        config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/24"), *base::parse_prefix("fd00:96::/112")};
        config.node_name = "n1";
        return config;
    }
    static NodeFacts facts() {
        const auto address = build::address("192.168.50.10");
        NodeFacts facts;
        facts.node_port_addresses = {address};
        facts.own_addresses = {address};
        facts.claims.service_ranges = config().service_cluster_ip_range;
        return facts;
    }
    /// What the kernel has for the front ends that Services ask for, and for those that they have.
    Mirror mirror() const {
        netlink::RealServers all = real_servers;
        for (const auto& [real, weight] : kernel) {
            const auto colon = real.rfind(':');
            all[{address(real.substr(0, colon)), static_cast<std::uint16_t>(std::stoi(real.substr(colon + 1)))}] =
                weight;
        }
        Mirror mirror;
        for (const api::Service& service : engine.store().services()) {
            for (const AskedFrontEnd& asked : asked_front_ends(service, engine.facts()))
                mirror.virtual_servers[asked.server].real_servers = all;
            for (const netlink::VirtualServer& server : engine.desired().servers_of(service.name))
                mirror.virtual_servers[server].real_servers = all;
        }
        return mirror;
    }
    void plan() { engine.plan_dirty(mirror()); }

    void apply(api::Transaction transaction) {
        engine.apply(std::move(transaction));
        for (const auto& [pod, verdict] : verdicts)
            note(pod, verdict);
        plan();
    }
    /// Those that drain have no connections any more.
    void connections_end() {
        Draining::Counted none;
        for (const auto& server : engine.draining().next(1000))
            none[server];
        engine.planner().review_draining(Time{}, {});
        engine.planner().review_draining(Time{} + Draining::least, none);
    }
    /// Of each of the pod's containers.
    void note(const std::string& name, health::Verdict verdict) {
        const auto pod = engine.store().pods().find(
            api::ObjectName{name.substr(0, name.find('/')), name.substr(name.find('/') + 1)});
        REQUIRE(pod != engine.store().pods().end());
        for (const api::Container& container : pod->containers)
            engine.note_verdict({name, container.name}, verdict);
    }
    void judge(const std::string& pod, health::Verdict verdict) {
        verdicts[pod] = verdict;
        note(pod, verdict);
        plan();
    }
    /// "10.1.0.11=1 10.1.0.12=0" for the virtual server; "none" when it does not exist.
    std::string backends(const std::string& address, std::uint16_t port = 80) const {
        const auto* state = engine.desired().find({build::address(address), netlink::Protocol::tcp, port});
        if (state == nullptr)
            return "none";
        std::string text;
        for (const auto& [real, weight] : state->real_servers)
            text += (text.empty() ? "" : " ") + real.address.to_string() + "=" + std::to_string(weight);
        return text;
    }
    std::string only_problem() const {
        const auto problems = problems_of(engine);
        REQUIRE(problems.size() == 1);
        return api::to_string(problems[0]);
    }
};

}  // namespace build
