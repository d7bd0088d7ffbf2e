// core/v1 Service (pkg/apis/core/validation ValidateService).
#include <algorithm>
#include <boost/algorithm/string/trim.hpp>
#include <limits>
#include <set>
#include <tuple>

#include "api/objects/decode_parts.hpp"
#include "api/objects/names.hpp"
#include "base/plain_text.hpp"

namespace api {
namespace {

constexpr std::initializer_list<std::string_view> spec_fields = {"allocateLoadBalancerNodePorts",
                                                                 "clusterIP",
                                                                 "clusterIPs",
                                                                 "externalIPs",
                                                                 "externalName",
                                                                 "externalTrafficPolicy",
                                                                 "healthCheckNodePort",
                                                                 "internalTrafficPolicy",
                                                                 "ipFamilies",
                                                                 "ipFamilyPolicy",
                                                                 "loadBalancerClass",
                                                                 "loadBalancerIP",
                                                                 "loadBalancerSourceRanges",
                                                                 "ports",
                                                                 "publishNotReadyAddresses",
                                                                 "selector",
                                                                 "sessionAffinity",
                                                                 "sessionAffinityConfig",
                                                                 "trafficDistribution",
                                                                 "type"};
constexpr std::initializer_list<std::string_view> port_fields = {"appProtocol", "name",     "nodePort",
                                                                 "port",        "protocol", "targetPort"};

/// Others may be long: kubectl keeps all that was applied in one.
bool is_for_us(std::string_view annotation) {
    return annotation.starts_with("podferry.io/") || annotation.starts_with("kube-router.io/");
}

bool has_node_ports(const Service& service) {
    return service.type == ServiceType::node_port || service.type == ServiceType::load_balancer;
}

/// Absent, 0 and "" are the same: the port itself (pkg/apis/core/v1 SetDefaults_Service).
PortReference read_target_port(const Field& field, std::uint16_t port) {
    const bool is_zero = field.is_text() ? field.text().empty() : field.is_zero();
    return is_zero ? PortReference(port) : read_port_reference(field, port);
}

ServicePort read_port(const Field& field, const Service& service, bool only_one) {
    field.only(port_fields);
    ServicePort port;
    const Field name = field["name"];
    port.name = name.text();
    if (!port.name.empty())
        name.check(check_dns_label(port.name));
    else if (!only_one)
        name.against_rules("missing; a Service of several ports needs a name for each");
    const Field number = field["port"];
    if (!number.given())
        number.wrong("missing");
    port.protocol = read_protocol(field["protocol"]);
    port.port = static_cast<std::uint16_t>(number.integer(1, 65535, 1));
    port.target_port = read_target_port(field["targetPort"], port.port);
    const Field node_port = field["nodePort"];
    port.node_port = static_cast<std::uint16_t>(node_port.integer(0, 65535, 0));
    if (port.node_port != 0 && service.type == ServiceType::cluster_ip)
        node_port.against_rules("only a Service of type NodePort or LoadBalancer has node ports");
    return port;
}

void read_ports(const Field& field, Service& service) {
    if (field.size() == 0 && !service.headless && service.type != ServiceType::external_name)
        field.against_rules("missing; a Service needs at least one port");
    std::set<std::string> names;
    std::set<std::pair<Protocol, std::uint16_t>> numbers;
    std::set<std::pair<Protocol, std::uint16_t>> node_ports;
    field.each([&](const Field& item) {
        ServicePort port = read_port(item, service, field.size() == 1);
        if (!port.name.empty() && !names.insert(port.name).second)
            item["name"].against_rules(base::quoted(port.name) + " is the name of an earlier port too");
        if (!numbers.insert({port.protocol, port.port}).second)
            item["port"].against_rules(std::to_string(port.port) + " with this protocol is an earlier port too");
        if (port.node_port != 0 && !node_ports.insert({port.protocol, port.node_port}).second)
            item["nodePort"].against_rules(std::to_string(port.node_port) +
                                           " with this protocol is an earlier port's too");
        service.ports.push_back(std::move(port));
    });
}

void read_cluster_ips(const Field& spec, Service& service) {
    const Field one = spec["clusterIP"];
    const Field all = spec["clusterIPs"];
    const auto read = [&](const Field& field, std::vector<Address>& addresses) {
        if (!field.given() || field.text().empty())
            return;
        if (field.text() == "None") {
            service.headless = true;
        } else if (const auto address = read_address(field)) {
            addresses.push_back(*address);
        }
    };
    std::vector<Address> first;
    read(one, first);
    all.each([&](const Field& item) { read(item, service.cluster_ips); });
    if (service.cluster_ips.empty())
        service.cluster_ips = first;
    else if (!first.empty() && first[0] != service.cluster_ips[0])
        all.against_rules("the first one must be the same as spec.clusterIP");
    if (service.headless && !service.cluster_ips.empty())
        all.against_rules("None cannot be together with an address");
    if (service.cluster_ips.size() > 2 ||
        (service.cluster_ips.size() == 2 && service.cluster_ips[0].is_v6() == service.cluster_ips[1].is_v6()))
        all.against_rules("at most one address of each family");
    if (service.type == ServiceType::external_name && (service.headless || !service.cluster_ips.empty()))
        one.against_rules("a Service of type ExternalName has no ClusterIP");
    if (has_node_ports(service) && service.headless)
        one.against_rules("None is only for type ClusterIP");
}

void read_families(const Field& spec, Service& service) {
    const Field families = spec["ipFamilies"];
    families.each([&](const Field& item) {
        const auto family = static_cast<Family>(item.one_of({"IPv4", "IPv6"}));
        if (std::find(service.families.begin(), service.families.end(), family) != service.families.end())
            item.against_rules("this family is there already");
        else
            service.families.push_back(family);
    });
    const Field policy = spec["ipFamilyPolicy"];
    if (policy.given())
        service.family_policy =
            static_cast<FamilyPolicy>(policy.one_of({"SingleStack", "PreferDualStack", "RequireDualStack"}));
    for (std::size_t i = 0; i < std::min(service.families.size(), service.cluster_ips.size()); ++i)
        if (service.families[i] != family_of(service.cluster_ips[i]))
            families.against_rules("does not fit the family of " + service.cluster_ips[i].to_string());
}

/// apimachinery ValidateNonSpecialIP. What a server has let pass is for the planner, which refuses it with an Event.
void read_external_ips(const Field& field, Service& service) {
    field.each([&](const Field& item) {
        const auto address = read_address(item);
        if (!address)
            return;
        const bool special =
            address->is_unspecified() || address->is_loopback() || address->is_multicast() || address->is_link_local();
        if (special && !item.from_server()) {
            item.against_rules(address->to_string() +
                               " cannot be an external IP (unspecified, loopback, link-local or multicast)");
            return;
        }
        service.external_ips.push_back(*address);
    });
}

void read_affinity(const Field& spec, Service& service) {
    const Field config = spec["sessionAffinityConfig"];
    config.only({"clientIP"});
    const Field client_ip = config["clientIP"];
    client_ip.only({"timeoutSeconds"});
    const Field timeout = client_ip["timeoutSeconds"];
    if (spec["sessionAffinity"].one_of({"None", "ClientIP"}) == 1)
        service.client_ip_affinity = std::chrono::seconds(timeout.integer(1, 86400, 10800));
    else
        timeout.integer(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), 0);
}

void read_policies(const Field& spec, Service& service) {
    const Field external = spec["externalTrafficPolicy"];
    service.external_traffic_policy = static_cast<TrafficPolicy>(external.one_of({"Cluster", "Local"}));
    if (external.given() && !external.text().empty() && !has_node_ports(service) && service.external_ips.empty())
        external.against_rules("only a Service with node ports or external IPs has it");
    service.internal_traffic_policy =
        static_cast<TrafficPolicy>(spec["internalTrafficPolicy"].one_of({"Cluster", "Local"}));
    service.publish_not_ready_addresses = spec["publishNotReadyAddresses"].flag(false);
    service.allocate_node_ports = spec["allocateLoadBalancerNodePorts"].flag(true);
}

/// netutils.ParseCIDRSloppy of the trimmed text (pkg/apis/core/validation ValidateLoadBalancerSourceRanges).
void read_source_ranges(const Field& field, Service& service) {
    field.each([&](const Field& item) {
        const std::string text = boost::algorithm::trim_copy(item.text());
        if (const auto network = base::parse_network(text))
            service.source_ranges.push_back(*network);
        else
            item.wrong(base::quoted(text) + " is not a CIDR such as 10.0.0.0/8");
    });
}

/// An ingress without an address has a host name, which no packet carries.
void read_ingress(const Field& field, Service& service) {
    field.each([&](const Field& item) {
        const Field ip = item["ip"];
        if (!ip.given() || ip.text().empty())
            return;
        if (const auto address = read_address(ip))
            service.ingress.push_back({*address, static_cast<IpMode>(item["ipMode"].one_of({"VIP", "Proxy"}))});
    });
}

void read_load_balancer(const Field& document, const Field& spec, Service& service) {
    const Field status = document["status"];
    const Field balancer = status["loadBalancer"];
    if (service.type != ServiceType::load_balancer)
        return;
    read_source_ranges(spec["loadBalancerSourceRanges"], service);
    service.health_check_node_port = static_cast<std::uint16_t>(spec["healthCheckNodePort"].integer(0, 65535, 0));
    read_ingress(balancer["ingress"], service);
}

}  // namespace

Service decode_service(const Field& document, Metadata metadata) {
    Service service;
    service.name = std::move(metadata.name);
    service.uid = std::move(metadata.uid);
    service.created = metadata.created;
    service.annotations = std::move(metadata.annotations);
    std::erase_if(service.annotations, [](const auto& annotation) { return !is_for_us(annotation.first); });
    const Field spec = document["spec"];
    spec.only(spec_fields);
    service.type =
        static_cast<ServiceType>(spec["type"].one_of({"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}));
    const Field external_name = spec["externalName"];
    if (service.type == ServiceType::external_name && external_name.text().empty())
        external_name.against_rules("missing; type ExternalName needs it");
    service.selector = read_labels(spec["selector"]);
    read_cluster_ips(spec, service);
    read_families(spec, service);
    read_ports(spec["ports"], service);
    read_external_ips(spec["externalIPs"], service);
    read_affinity(spec, service);
    read_policies(spec, service);
    read_load_balancer(document, spec, service);
    return service;
}

}  // namespace api
