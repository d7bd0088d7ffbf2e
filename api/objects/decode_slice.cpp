// discovery/v1 EndpointSlice, core/v1 Endpoints and Node.
#include <map>
#include <set>
#include <utility>

#include "api/objects/decode_parts.hpp"
#include "api/objects/names.hpp"
#include "base/rfc3339.hpp"

namespace api {
namespace {

constexpr const char* service_label = "kubernetes.io/service-name";
constexpr const char* trigger_annotation = "endpoints.kubernetes.io/last-change-trigger-time";
constexpr std::size_t max_endpoints = 1000;  // of a slice, discovery/validation

/// A slice's port without a number or with 0 is valid, and not served (discovery/v1 EndpointPort); one of Endpoints
/// needs a number.
enum class PortNumber : std::uint8_t { optional, required };

EndpointPort read_port(const Field& field, PortNumber wanted) {
    field.only({"appProtocol", "name", "port", "protocol"});
    EndpointPort port;
    const Field name = field["name"];
    port.name = name.text();
    if (!port.name.empty())
        name.check(check_dns_label(port.name));
    port.protocol = read_protocol(field["protocol"]);
    const Field number = field["port"];
    if (wanted == PortNumber::required && !number.from_server()) {
        if (!number.given())
            number.wrong("missing");
        port.port = static_cast<std::uint16_t>(number.integer(1, 65535, 0));
        return port;
    }
    constexpr std::int64_t limit = std::int64_t{1} << 31;  // the API server accepts any int32
    const auto value = number.integer(-limit, limit - 1, 0);
    if (value < 0 || value > 65535)
        number.warn(std::to_string(value) + " is no port (1..65535); it is not served");
    else
        port.port = static_cast<std::uint16_t>(value);
    return port;
}

/// The names of a slice's ports differ; Endpoints name their ports where there are several (discovery/validation,
/// core/validation).
void check_port_names(const Field& field, PortNumber wanted) {
    std::set<std::string> names;
    if (field.from_server() || field.size() < 2)
        return;
    field.each([&](const Field& item) {
        const Field name = item["name"];
        const std::string text = name.is_text() ? name.text() : "";
        if (wanted == PortNumber::required && text.empty())
            name.wrong("missing; of several ports each needs a name");
        if (wanted == PortNumber::optional && !names.insert(text).second)
            name.wrong("'" + text + "' is the name of an earlier port too");
    });
}

/// kube-proxy leaves out ports without a number (endpointslicecache.go).
void read_ports(const Field& field, PortNumber wanted, std::vector<EndpointPort>& ports) {
    check_port_names(field, wanted);
    field.each([&](const Field& item) {
        if (const EndpointPort port = read_port(item, wanted); port.port != 0)
            ports.push_back(port);
    });
}

/// apimachinery ValidateEndpointIP: what can be no endpoint.
std::optional<Address> read_endpoint_address(const Field& field) {
    auto address = read_address(field);
    if (address &&
        (address->is_unspecified() || address->is_loopback() || address->is_multicast() || address->is_link_local())) {
        field.against_rules(address->to_string() +
                            " cannot be an endpoint (unspecified, loopback, link-local or multicast)");
        return std::nullopt;
    }
    return address;
}

std::vector<Hint> read_hints(const Field& hints) {
    std::vector<Hint> all;
    hints.only({"forNodes", "forZones"});
    const auto read = [&](const Field& list, Hint::Scope scope) {
        list.each([&](const Field& item) {
            item.only({"name"});
            all.push_back({scope, item["name"].text()});
        });
    };
    read(hints["forZones"], Hint::Scope::zone);
    read(hints["forNodes"], Hint::Scope::node);
    return all;
}

void check_slice_endpoint(const Field& field) {
    field.only({"addresses", "conditions", "deprecatedTopology", "hints", "hostname", "nodeName", "targetRef", "zone"});
    const Field addresses = field["addresses"];
    if (addresses.size() == 0)
        addresses.against_rules("missing; an endpoint needs an address");
}

void read_slice_endpoint(const Field& field, EndpointSlice& slice) {
    check_slice_endpoint(field);
    const Field conditions = field["conditions"];
    conditions.only({"ready", "serving", "terminating"});
    Endpoint endpoint;
    endpoint.ready = conditions["ready"].flag(true);
    endpoint.serving = conditions["serving"].flag(true);
    endpoint.terminating = conditions["terminating"].flag(false);
    endpoint.node_name = field["nodeName"].text();
    if (const Field hints = field["hints"]; hints.given())
        endpoint.hints = read_hints(hints);
    const Field addresses = field["addresses"];
    bool first = true;
    addresses.each([&](const Field& item) {
        // The others of a server's slice stand for the same pod (discovery/v1 Endpoint.addresses).
        if (item.from_server() && !std::exchange(first, false))
            return;
        const auto address = read_endpoint_address(item);
        if (!address)
            return;
        if (family_of(*address) != slice.family) {
            item.against_rules(address->to_string() + " is not of the slice's addressType");
            return;
        }
        endpoint.address = *address;
        slice.endpoints.push_back(endpoint);
    });
}

struct Subset {
    std::map<Family, EndpointSlice> slices;

    void add(const Field& list, bool ready) {
        list.each([&](const Field& item) {
            item.only({"hostname", "ip", "nodeName", "targetRef"});
            const Field ip = item["ip"];
            if (!ip.given())
                ip.wrong("missing");
            if (const auto address = read_endpoint_address(ip))
                slices[family_of(*address)].endpoints.push_back(
                    {*address, ready, ready, false, item["nodeName"].text(), {}});
        });
    }
};

}  // namespace

EndpointSlice decode_endpoint_slice(const Field& document, Metadata metadata) {
    EndpointSlice slice;
    slice.name = std::move(metadata.name);
    const auto label = metadata.labels.find(service_label);
    if (label != metadata.labels.end())
        slice.service = label->second;
    if (const auto trigger = metadata.annotations.find(trigger_annotation); trigger != metadata.annotations.end())
        slice.changed = base::parse_rfc3339(trigger->second).value_or(slice.changed);
    const Field type = document["addressType"];
    if (!type.given() || (type.is_text() && type.text().empty()))
        type.wrong("missing; IPv4 or IPv6");
    read_ports(document["ports"], PortNumber::optional, slice.ports);
    if (type.is_text() && type.text() == "FQDN") {
        type.warn("slices of FQDN are not used: a connection needs an IP address");
        document["endpoints"].each([](const Field& item) { check_slice_endpoint(item); });
        return slice;
    }
    slice.family = static_cast<Family>(type.one_of({"IPv4", "IPv6"}));
    const Field endpoints = document["endpoints"];
    const std::size_t count = endpoints.size();
    if (count > max_endpoints)
        endpoints.wrong(std::to_string(count) + " are more than a slice can have (1000)");
    else {
        slice.endpoints.reserve(count);  // most have one address
        endpoints.each([&](const Field& item) { read_slice_endpoint(item, slice); });
    }
    return slice;
}

std::vector<EndpointSlice> decode_endpoints(const Field& document, const Metadata& metadata) {
    std::vector<EndpointSlice> all;
    std::size_t number = 0;
    document["subsets"].each([&](const Field& item) {
        item.only({"addresses", "notReadyAddresses", "ports"});
        Subset subset;
        subset.add(item["addresses"], true);
        subset.add(item["notReadyAddresses"], false);
        if (item["addresses"].size() + item["notReadyAddresses"].size() == 0)
            item.against_rules("needs addresses, or notReadyAddresses");
        std::vector<EndpointPort> ports;
        read_ports(item["ports"], PortNumber::required, ports);
        for (auto& [family, slice] : subset.slices) {
            slice.name = {metadata.name.space, metadata.name.name + ":" + std::to_string(number) +
                                                   (family == Family::ipv6 ? ":IPv6" : ":IPv4")};
            slice.service = metadata.name.name;
            slice.family = family;
            slice.ports = ports;
            all.push_back(std::move(slice));
        }
        ++number;
    });
    return all;
}

/// The API server accepts any text; what is no address is of no use, and harms none beside it.
static std::optional<Address> read_node_address(const Field& field) {
    if (!field.is_text())
        return read_address(field);
    if (const auto address = base::parse_address(field.text()))
        return address;
    field.warn("'" + field.text() + "' is not an IP address; it is not used");
    return std::nullopt;
}

/// The older field wins where they differ (Convert_v1_NodeSpec_To_core_NodeSpec in pkg/apis/core/v1).
static std::vector<base::Prefix> read_pod_cidrs(const Field& spec) {
    const Field list = spec["podCIDRs"];
    const Field single = spec["podCIDR"];
    std::string first;
    list.each([&](const Field& item) { first = first.empty() ? item.text() : first; });
    if (const std::string text = single.text(); !text.empty() && text != first) {
        const auto network = base::parse_network(text);
        if (!network)
            single.against_rules("'" + text + "' is not a CIDR such as 10.0.0.0/8");
        return network ? std::vector{*network} : std::vector<base::Prefix>();
    }
    std::vector<base::Prefix> networks = read_networks(list);
    const bool two_of_a_family =
        networks.size() == 2 && family_of(networks[0].address) == family_of(networks[1].address);
    if (networks.size() > 2 || two_of_a_family)
        list.against_rules("takes at most one CIDR of each address family");
    return networks;
}

Node decode_node(const Field& document, Metadata metadata) {
    Node node{std::move(metadata.name), {}, metadata.terminating, {}};
    if (const auto zone = metadata.labels.find("topology.kubernetes.io/zone"); zone != metadata.labels.end())
        node.zone = zone->second;
    const Field spec = document["spec"];
    spec.only({"configSource", "externalID", "podCIDR", "podCIDRs", "providerID", "taints", "unschedulable"});
    spec["taints"].each([&](const Field& taint) {
        taint.only({"effect", "key", "timeAdded", "value"});
        node.leaving = node.leaving || taint["key"].text() == "ToBeDeletedByClusterAutoscaler";
    });
    node.pod_cidrs = read_pod_cidrs(spec);
    const Field status = document["status"];
    const Field addresses = status["addresses"];
    for (const char* wanted : {"InternalIP", "ExternalIP"})
        addresses.each([&](const Field& item) {
            if (item["type"].text() == wanted)
                if (const auto address = read_node_address(item["address"]))
                    node.addresses.push_back(*address);
        });
    return node;
}

ServiceCidr decode_service_cidr(const Field& document, Metadata metadata) {
    const Field spec = document["spec"];
    return {std::move(metadata.name), read_networks(spec["cidrs"])};
}

}  // namespace api
