#include "proxy/plan/words.hpp"

#include <algorithm>

namespace proxy {

std::string_view word(api::Protocol protocol) {
    switch (protocol) {
        case api::Protocol::tcp:
            return "tcp";
        case api::Protocol::udp:
            return "udp";
        case api::Protocol::sctp:
            return "sctp";
    }
    return "";
}

std::string_view word(api::ServiceType type) {
    switch (type) {
        case api::ServiceType::cluster_ip:
            return "ClusterIP";
        case api::ServiceType::node_port:
            return "NodePort";
        case api::ServiceType::load_balancer:
            return "LoadBalancer";
        case api::ServiceType::external_name:
            return "ExternalName";
    }
    return "";
}

netlink::Protocol kernel_protocol(api::Protocol protocol) {
    switch (protocol) {
        case api::Protocol::tcp:
            return netlink::Protocol::tcp;
        case api::Protocol::udp:
            return netlink::Protocol::udp;
        case api::Protocol::sctp:
            return netlink::Protocol::sctp;
    }
    return netlink::Protocol::none;
}

tl::expected<std::vector<api::Family>, std::string> wanted_families(const api::Service& service,
                                                                    const std::vector<base::Prefix>& ranges) {
    const auto configured = [&](api::Family family) {
        return std::any_of(ranges.begin(), ranges.end(),
                           [&](const base::Prefix& range) { return api::family_of(range.address) == family; });
    };
    std::vector<api::Family> families = service.families;
    if (families.empty())
        for (const api::Address& address : service.cluster_ips)
            families.push_back(api::family_of(address));
    if (families.empty()) {
        if (ranges.empty())
            return tl::unexpected<std::string>(
                "spec.clusterIP: none given, and service_cluster_ip_range is not configured");
        families.push_back(api::family_of(ranges[0].address));
    }
    for (const api::Family family : families)
        if (!configured(family))
            return tl::unexpected<std::string>(std::string("spec.ipFamilies: service_cluster_ip_range has no ") +
                                               (family == api::Family::ipv6 ? "IPv6" : "IPv4") + " range");
    const api::FamilyPolicy policy = service.family_policy.value_or(
        families.size() > 1 ? api::FamilyPolicy::require_dual_stack : api::FamilyPolicy::single_stack);
    const api::Family other = families[0] == api::Family::ipv4 ? api::Family::ipv6 : api::Family::ipv4;
    if (policy == api::FamilyPolicy::require_dual_stack && !configured(other))
        return tl::unexpected<std::string>(
            "spec.ipFamilyPolicy: RequireDualStack, but service_cluster_ip_range has one family only");
    if (policy == api::FamilyPolicy::single_stack)
        families.resize(1);
    else if (families.size() == 1 && configured(other))
        families.push_back(other);
    return families;
}

}  // namespace proxy
