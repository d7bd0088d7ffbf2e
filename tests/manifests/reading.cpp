// What podferry makes of manifests and kubeconfigs, in the shape in which tests/manifests/oracle says what Kubernetes
// makes of them: names of files on standard input, one a line; one line of JSON for each on standard output.
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "api/cluster/kubeconfig.hpp"
#include "api/folder/manifest_file.hpp"

namespace {

namespace json = boost::json;
using api::Address;

std::string text(const Address& address) {
    return address.to_string();
}

const char* word(api::Protocol protocol) {
    return protocol == api::Protocol::tcp ? "TCP" : protocol == api::Protocol::udp ? "UDP" : "SCTP";
}
const char* word(api::Family family) {
    return family == api::Family::ipv4 ? "IPv4" : "IPv6";
}
const char* word(api::TrafficPolicy policy) {
    return policy == api::TrafficPolicy::local ? "Local" : "Cluster";
}

json::value target(const api::PortReference& port) {
    if (const auto* number = std::get_if<std::uint16_t>(&port))
        return *number;
    return json::string(std::get<std::string>(port));
}

json::object map_of(const api::Labels& labels) {
    json::object map;
    for (const auto& [key, value] : labels)
        map[key] = value;
    return map;
}

template <class List, class Make>
json::array list(const List& items, Make make) {
    json::array all;
    for (const auto& item : items)
        all.push_back(make(item));
    return all;
}

json::array texts(const std::vector<Address>& addresses) {
    return list(addresses, [](const Address& a) { return json::value(text(a)); });
}

json::value network(const base::Prefix& n) {
    return json::value(text(n.address) + "/" + std::to_string(n.length));
}

json::object facts(const api::Service& s) {
    static constexpr const char* types[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};
    static constexpr const char* policies[] = {"SingleStack", "PreferDualStack", "RequireDualStack"};
    json::object o{{"type", types[static_cast<int>(s.type)]},
                   {"headless", s.headless},
                   {"clusterIPs", texts(s.cluster_ips)},
                   {"families", list(s.families, [](api::Family f) { return json::value(word(f)); })},
                   {"familyPolicy", s.family_policy ? policies[static_cast<int>(*s.family_policy)] : ""},
                   {"selector", map_of(s.selector)},
                   {"externalIPs", texts(s.external_ips)},
                   {"affinity", s.client_ip_affinity ? s.client_ip_affinity->count() : 0},
                   {"internal", word(s.internal_traffic_policy)},
                   {"external", word(s.external_traffic_policy)},
                   {"publishNotReady", s.publish_not_ready_addresses},
                   {"annotations", map_of(s.annotations)},
                   {"created", s.created.time_since_epoch().count()}};
    o["ports"] = list(s.ports, [](const api::ServicePort& p) {
        return json::object{{"name", p.name},
                            {"protocol", word(p.protocol)},
                            {"port", p.port},
                            {"target", target(p.target_port)},
                            {"nodePort", p.node_port}};
    });
    if (s.type == api::ServiceType::load_balancer) {
        o["sourceRanges"] = list(s.source_ranges, network);
        o["ingress"] = list(s.ingress, [](const api::Ingress& i) {
            return json::value(text(i.address) + (i.mode == api::IpMode::proxy ? " Proxy" : " VIP"));
        });
        o["healthCheckNodePort"] = s.health_check_node_port;
        o["allocateNodePorts"] = s.allocate_node_ports;
    }
    return o;
}

json::array ports_of(const std::vector<api::EndpointPort>& ports) {
    return list(ports, [](const api::EndpointPort& p) {
        return json::object{{"name", p.name}, {"protocol", word(p.protocol)}, {"port", p.port}};
    });
}

json::array endpoints_of(const std::vector<api::Endpoint>& endpoints) {
    return list(endpoints, [](const api::Endpoint& e) {
        return json::object{{"address", text(e.address)},
                            {"ready", e.ready},
                            {"serving", e.serving},
                            {"terminating", e.terminating},
                            {"node", *e.node_name},
                            {"hints", list(*e.hints, [](const api::Hint& h) {
                                 return json::value((h.scope == api::Hint::Scope::zone ? "zone " : "node ") + h.name);
                             })}};
    });
}

json::object facts(const api::EndpointSlice& s) {
    return {{"service", s.service},
            {"family", word(s.family)},
            {"ports", ports_of(s.ports)},
            {"endpoints", endpoints_of(s.endpoints)}};
}

json::value handler(const api::Probe& probe) {
    if (const auto* get = std::get_if<api::HttpGet>(&probe.handler))
        return json::object{
            {"http", get->path},
            {"port", target(get->port)},
            {"host", get->host},
            {"https", get->https},
            {"headers", list(get->headers, [](const auto& h) { return json::value(h.first + ": " + h.second); })}};
    if (const auto* tcp = std::get_if<api::TcpSocket>(&probe.handler))
        return json::object{{"port", target(tcp->port)}, {"host", tcp->host}};
    return json::string(std::holds_alternative<api::GrpcAction>(probe.handler) ? "grpc" : "exec");
}

json::value probe_facts(const std::optional<api::Probe>& probe) {
    if (!probe)
        return nullptr;
    return json::object{{"delay", probe->initial_delay.count()}, {"timeout", probe->timeout.count()},
                        {"period", probe->period.count()},       {"success", probe->success_threshold},
                        {"failure", probe->failure_threshold},   {"handler", handler(*probe)}};
}

json::object facts(const api::Pod& p) {
    static constexpr const char* phases[] = {"Unknown", "Pending", "Running", "Succeeded", "Failed"};
    json::object conditions;
    for (const auto& [type, is] : p.conditions)
        conditions[type] = is;
    return {{"labels", map_of(p.labels)},
            {"node", p.node_name},
            {"containers", list(p.containers,
                                [](const api::Container& c) {
                                    return json::object{{"name", c.name},
                                                        {"ports", list(c.ports,
                                                                       [](const api::ContainerPort& port) {
                                                                           return json::object{
                                                                               {"name", port.name},
                                                                               {"protocol", word(port.protocol)},
                                                                               {"port", port.port}};
                                                                       })},
                                                        {"readiness", probe_facts(c.readiness)},
                                                        {"liveness", probe_facts(c.liveness)},
                                                        {"startup", probe_facts(c.startup)}};
                                })},
            {"gates", list(p.readiness_gates, [](const std::string& gate) { return json::value(gate); })},
            {"ips", texts(p.ips)},
            {"conditions", conditions},
            {"phase", phases[static_cast<int>(p.phase)]},
            {"hostNetwork", p.host_network},
            {"terminating", p.terminating}};
}

json::object facts(const api::Node& n) {
    return {{"addresses", texts(n.addresses)},
            {"leaving", n.leaving},
            {"zone", n.zone},
            {"podCIDRs", list(n.pod_cidrs, network)}};
}

json::object facts(const api::ServiceCidr& c) {
    return {{"cidrs", list(c.cidrs, network)}};
}

/// "Service shop/web": kind, namespace and name.
json::object head(const std::string& label) {
    const std::string kind = label.substr(0, label.find(' '));
    const std::string name = kind.size() < label.size() ? label.substr(kind.size() + 1) : "";
    const auto slash = kind == "Node" ? std::string::npos : name.find('/');
    return {{"kind", kind},
            {"namespace", slash == std::string::npos ? "" : name.substr(0, slash)},
            {"name", slash == std::string::npos ? name : name.substr(slash + 1)}};
}

bool is_of_endpoints(const api::ManifestEntry& entry) {
    return entry.label.starts_with("Endpoints ");
}

json::object entry_of(const api::ManifestEntry& entry) {
    json::object o = head(entry.label);
    o["accepted"] = entry.good;
    if (entry.good)
        o["facts"] = std::visit([](const auto& object) { return facts(object); }, entry.object);
    return o;
}

/// The slices that one Endpoints object has become are together again.
void add(json::array& objects, const api::ManifestEntry& entry, bool continues) {
    if (!is_of_endpoints(entry)) {
        objects.push_back(entry_of(entry));
        return;
    }
    if (!continues) {
        json::object o = head(entry.label);
        o["accepted"] = entry.good;
        if (entry.good)
            o["facts"] = json::object{{"slices", json::array()}};
        objects.push_back(std::move(o));
    }
    if (!entry.good)
        return;
    json::object slice = facts(std::get<api::EndpointSlice>(entry.object));
    slice.erase("service");
    objects.back().at("facts").at("slices").as_array().push_back(std::move(slice));
}

json::object manifest(const std::string& name, const std::string& content) {
    const api::ManifestContent read = api::read_manifest(name, content);
    json::array objects;
    const api::ManifestEntry* last = nullptr;
    for (const api::ManifestEntry& entry : read.entries) {
        const bool continues =
            last != nullptr && last->origin == entry.origin && last->label == entry.label && last->key != entry.key;
        add(objects, entry, is_of_endpoints(entry) && continues);
        last = is_of_endpoints(entry) ? &entry : nullptr;
    }
    json::array problems;
    for (const api::Problem& problem : read.problems) {
        json::object o = problem.object.empty() ? json::object() : head(problem.object);
        o["message"] = problem.message;
        o["warning"] = problem.warning;
        problems.push_back(std::move(o));
    }
    json::object others;
    for (const auto& [kind, count] : read.others)
        others[kind] = count;
    return {{"objects", objects}, {"problems", problems}, {"others", others}, {"complete", read.complete}};
}

json::object kubeconfig(const std::string& name, const std::string& content) {
    const auto access = api::parse_kubeconfig(content, name);
    if (!access)
        return {{"error", access.error()}};
    return {{"server", access->servers.front()},
            {"token", access->token},
            {"token_file", access->token_file},
            {"server_name", access->tls_server_name},
            {"insecure", access->insecure_skip_tls_verify},
            {"exec", access->exec.has_value()}};
}

}  // namespace

int main() {
    for (std::string name; std::getline(std::cin, name);) {
        std::ifstream file(name, std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(file), {}};
        const json::object read = name.ends_with(".kubeconfig") ? kubeconfig(name, content) : manifest(name, content);
        std::cout << json::serialize(read) << "\n" << std::flush;
    }
    return 0;
}
