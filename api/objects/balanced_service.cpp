#include "api/objects/balanced_service.hpp"

#include <algorithm>
#include <array>

#include "api/objects/decode_parts.hpp"

namespace api {
namespace {

constexpr std::array<std::string_view, 4> domains = {"podferry.io/", "metallb.io/", "metallb.universe.tf/",
                                                     "kube-vip.io/"};

bool is_for_balancers(const std::string& annotation) {
    return std::any_of(domains.begin(), domains.end(),
                       [&](std::string_view domain) { return annotation.starts_with(domain); });
}

void read_metadata(const Field& metadata, BalancedService& service) {
    service.name = {metadata["namespace"].text("default"), metadata["name"].text()};
    service.uid = metadata["uid"].text();
    service.version = metadata["resourceVersion"].text();
    if (const auto created = metadata["creationTimestamp"].time())
        service.created = std::chrono::floor<std::chrono::seconds>(*created);
    service.terminating = metadata["deletionTimestamp"].given();
}

/// The server says them; a Service of a server that is older than 1.20 has them of its addresses alone.
void read_families(const Field& spec, BalancedService& service) {
    spec["ipFamilies"].each(
        [&](const Field& item) { service.families.push_back(static_cast<Family>(item.one_of({"IPv4", "IPv6"}))); });
    const Field one = spec["clusterIP"];
    if (const auto address = base::parse_address(one.text()); address && service.families.empty())
        service.families.push_back(family_of(*address));
    if (service.families.empty())
        service.families.push_back(Family::ipv4);
    service.family_policy = static_cast<FamilyPolicy>(
        spec["ipFamilyPolicy"].one_of({"SingleStack", "PreferDualStack", "RequireDualStack"}));
}

void read_spec(const Field& spec, BalancedService& service) {
    service.balancer_class = spec["loadBalancerClass"].text();
    service.wanted_ip = spec["loadBalancerIP"].text();
    service.backend.selector = read_labels(spec["selector"]);
    service.backend.external_traffic_policy =
        static_cast<TrafficPolicy>(spec["externalTrafficPolicy"].one_of({"Cluster", "Local"}));
    read_families(spec, service);
    spec["ports"].each([&](const Field& item) {
        const auto port = static_cast<std::uint16_t>(item["port"].integer(0, 65535, 0));
        service.backend.ports.emplace_back(read_protocol(item["protocol"]), port);
    });
}

void read_ingress(const Field& list, BalancedService& service) {
    list.each([&](const Field& item) {
        BalancerIngress ingress;
        ingress.hostname = item["hostname"].text();
        ingress.address = base::parse_address(item["ip"].text());
        ingress.mode = static_cast<IpMode>(item["ipMode"].one_of({"VIP", "Proxy"}));
        service.ingress.push_back(std::move(ingress));
    });
}

void read_status(const Field& status, BalancedService& service) {
    const Field balancer = status["loadBalancer"];
    read_ingress(balancer["ingress"], service);
    status["conditions"].each([&](const Field& item) {
        if (item["type"].text() == balancer_condition)
            service.condition = {item["status"].text(), item["reason"].text(), item["message"].text()};
    });
}

}  // namespace

std::optional<BalancedService> decode_balanced_service(const Value& document, std::vector<Mistake>& mistakes) {
    const Field root(document, mistakes, Strictness::server);
    const Field metadata = root["metadata"];
    const Field spec = root["spec"];
    const Field status = root["status"];
    BalancedService service;
    read_metadata(metadata, service);
    if (service.name.name.empty())
        return std::nullopt;
    service.is_balancer = spec["type"].text() == "LoadBalancer";
    read_status(status, service);
    if (!service.is_balancer)
        return service;
    service.labels = read_texts(metadata["labels"]);
    service.annotations = read_texts(metadata["annotations"]);
    std::erase_if(service.annotations, [](const auto& annotation) { return !is_for_balancers(annotation.first); });
    read_spec(spec, service);
    return service;
}

}  // namespace api
