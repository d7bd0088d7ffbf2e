// Short ways to write Services, endpoints and pods in tests.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/source.hpp"
#include "api/objects/types.hpp"
#include "proxy/plan/request.hpp"

namespace build {

inline base::Address address(const std::string& text) {
    return base::make_address(text);
}

/// Namespace "shop", port 80 to 8080/tcp.
inline api::Service service(const std::string& name, const std::string& cluster_ip = "") {
    api::Service service;
    service.name = {"shop", name};
    service.ports = {{"", api::Protocol::tcp, 80, std::uint16_t{8080}, 0}};
    service.selector = {{"app", name}};
    if (!cluster_ip.empty())
        service.cluster_ips = {address(cluster_ip)};
    return service;
}

/// A pod of service() with the same name, probed on /healthz:8080 when `probed`.
inline api::Pod pod(const std::string& app, const std::string& name, const std::string& ip, bool probed = true) {
    api::Pod pod;
    pod.name = {"shop", name};
    pod.labels = {{"app", app}};
    pod.ips = {address(ip)};
    api::Container container;
    container.name = "main";
    container.ports = {{"http", api::Protocol::tcp, 8080}};
    if (probed) {
        api::Probe probe;
        probe.handler = api::HttpGet{"/healthz", std::uint16_t{8080}, "", false, {}};
        container.readiness = probe;
    }
    pod.containers = {container};
    return pod;
}

inline api::Transaction transaction(std::vector<api::Object> objects, bool initial = false) {
    api::Transaction transaction;
    for (api::Object& object : objects)
        transaction.upserts.push_back({std::move(object), {"test.yaml", 1}});
    transaction.initial = initial;
    return transaction;
}

inline api::Transaction removal(api::Kind kind, const std::string& name) {
    api::Transaction transaction;
    transaction.removals.push_back({kind, {"shop", name}});
    return transaction;
}

/// "1lr 2r 3st@a": endpoints 10.1.0.1, ... on port 8080; l: local, r: ready (and serving), s: serving, t: terminating,
/// u: its probe has not answered, f: it has failed, @zone and %node: hints.
inline std::vector<api::ResolvedEndpoint> endpoints(const std::string& text) {
    std::vector<api::ResolvedEndpoint> all;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        api::ResolvedEndpoint endpoint;
        endpoint.port = 8080;
        std::size_t at = word.find_first_not_of("0123456789");
        endpoint.address = address("10.1.0." + word.substr(0, at));
        for (; at < word.size() && word[at] != '@' && word[at] != '%'; ++at) {
            endpoint.local = endpoint.local || word[at] == 'l';
            endpoint.ready = endpoint.ready || word[at] == 'r';
            endpoint.serving = endpoint.serving || word[at] == 's' || word[at] == 'r';
            endpoint.terminating = endpoint.terminating || word[at] == 't';
            endpoint.unknown = endpoint.unknown || word[at] == 'u';
            endpoint.failed = endpoint.failed || word[at] == 'f';
        }
        std::vector<api::Hint> hints;
        while (at < word.size()) {
            const std::size_t end = std::min(word.find_first_of("@%", at + 1), word.size());
            hints.push_back(
                {word[at] == '@' ? api::Hint::Scope::zone : api::Hint::Scope::node, word.substr(at + 1, end - at - 1)});
            at = end;
        }
        endpoint.hints = std::move(hints);
        all.push_back(endpoint);
    }
    return all;
}

/// Of a Service that gets all that it asks for.
inline proxy::ServicePlan plan(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints,
                               const proxy::NodeFacts& node, const proxy::PlanInputs& inputs) {
    const proxy::Request request = proxy::request_of(service, node, {}, 100'000);
    return proxy::plan(service, request, endpoints, node, inputs, request.front_ends.first.size());
}

}  // namespace build
