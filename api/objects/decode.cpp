#include "api/objects/decode.hpp"

#include <algorithm>
#include <array>
#include <boost/algorithm/string/case_conv.hpp>

#include "api/objects/decode_parts.hpp"
#include "api/objects/names.hpp"
#include "base/plain_text.hpp"
#include "base/spelling.hpp"

namespace api {
namespace {

struct KindRow {
    std::string_view kind;
    std::string_view api_version;
    Kind object;
    std::string (*check_name)(std::string_view);
    bool has_namespace = true;
    bool of_servers_only = false;  ///< in a folder it is a kind that is not used
};

constexpr std::array<KindRow, 6> kinds = {{
    {"Service", "v1", Kind::service, check_dns_label},
    {"Pod", "v1", Kind::pod, check_dns_subdomain},
    {"Node", "v1", Kind::node, check_dns_subdomain, false},
    {"Endpoints", "v1", Kind::endpoint_slice, check_dns_subdomain},
    {"EndpointSlice", "discovery.k8s.io/v1", Kind::endpoint_slice, check_dns_subdomain},
    {"ServiceCIDR", "networking.k8s.io/v1", Kind::service_cidr, check_dns_subdomain, false, true},
}};

/// Groups that have no other Service, Pod, ...: there the apiVersion is a mistake. In anybody else's it is another
/// kind.
constexpr std::array<std::string_view, 8> groups_of_kubernetes = {
    "", "apps", "autoscaling", "batch", "discovery.k8s.io", "extensions", "networking.k8s.io", "policy"};

std::string_view group_of(std::string_view api_version) {
    const auto slash = api_version.find('/');
    return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

constexpr std::initializer_list<std::string_view> metadata_fields = {"annotations",
                                                                     "clusterName",
                                                                     "creationTimestamp",
                                                                     "deletionGracePeriodSeconds",
                                                                     "deletionTimestamp",
                                                                     "finalizers",
                                                                     "generateName",
                                                                     "generation",
                                                                     "labels",
                                                                     "managedFields",
                                                                     "name",
                                                                     "namespace",
                                                                     "ownerReferences",
                                                                     "resourceVersion",
                                                                     "selfLink",
                                                                     "uid"};

constexpr std::initializer_list<std::string_view> object_fields = {"apiVersion", "kind", "metadata", "spec", "status"};
constexpr std::initializer_list<std::string_view> slice_fields = {"addressType", "apiVersion", "endpoints",
                                                                  "kind",        "metadata",   "ports"};
constexpr std::initializer_list<std::string_view> endpoints_fields = {"apiVersion", "kind", "metadata", "subsets"};

std::optional<std::chrono::system_clock::time_point> read_time(const Field& field) {
    const auto time = field.time();
    if (!time && !field.text().empty())
        field.against_rules("'" + field.text() + "' is not a time such as 2026-01-31T12:00:00Z");
    return time;
}

/// Their keys are those of labels, in any case (apimachinery ValidateAnnotations).
Labels read_annotations(const Field& field) {
    Labels annotations = read_texts(field);
    if (field.from_server())
        return annotations;
    for (const auto& [key, value] : annotations)
        if (std::string wrong = check_label_key(boost::algorithm::to_lower_copy(key)); !wrong.empty())
            field[key].wrong("'" + key.substr(0, 80) + "' is not an annotation's key ([prefix/]name)");
    return annotations;
}

Metadata read_metadata(const Field& document, const KindRow& row) {
    const Field field = document["metadata"];
    Metadata metadata;
    field.only(metadata_fields);
    const Field name = field["name"];
    metadata.name.name = name.text();
    if (!name.given())
        name.wrong("missing; every object needs a name");
    else if (!metadata.name.name.empty() || name.is_text())
        name.check(row.check_name(metadata.name.name));
    const Field space = field["namespace"];
    if (!row.has_namespace) {
        space.text();  // the API server leaves it out
    } else {
        metadata.name.space = space.text("default");
        if (metadata.name.space.empty())
            metadata.name.space = "default";
        space.check(check_dns_label(metadata.name.space));
    }
    const Field labels = field["labels"];
    const Field annotations = field["annotations"];
    metadata.uid = field["uid"].text();
    metadata.version = field["resourceVersion"].text();
    if (const auto created = read_time(field["creationTimestamp"]))
        metadata.created = std::chrono::floor<std::chrono::seconds>(*created);
    metadata.labels = read_labels(labels);
    metadata.annotations = read_annotations(annotations);
    metadata.terminating = read_time(field["deletionTimestamp"]).has_value();
    return metadata;
}

const KindRow* find_row(std::string_view kind, bool from_server) {
    const auto row = std::find_if(kinds.begin(), kinds.end(), [&](const KindRow& r) {
        return r.kind == kind && (from_server || !r.of_servers_only);
    });
    return row == kinds.end() ? nullptr : &*row;
}

bool says_nothing(const Field& field) {
    return !field.is_text() || field.text().empty();
}

/// nullptr: it is of none of our kinds; then either `other` names its kind, or there is a mistake.
const KindRow* find_kind(const Field& document, const KindHint& hint, std::string& other) {
    const Field kind_field = document["kind"];
    const Field version_field = document["apiVersion"];
    const bool hinted = !hint.kind.empty() && says_nothing(kind_field) && says_nothing(version_field);
    const std::string kind = hinted ? hint.kind : kind_field.text();
    const KindRow* row = find_row(kind, document.from_server());
    const std::string version = hinted && hint.api_version.empty() && row != nullptr ? std::string(row->api_version)
                                : hinted                                             ? hint.api_version
                                                                                     : version_field.text();
    const std::string_view group = group_of(version);
    const bool of_kubernetes =
        std::count(version.begin(), version.end(), '/') < 2 &&
        std::find(groups_of_kubernetes.begin(), groups_of_kubernetes.end(), group) != groups_of_kubernetes.end();
    if (kind.empty()) {
        kind_field.wrong("missing; every object needs apiVersion, kind and metadata.name");
        return nullptr;
    }
    if (row != nullptr && of_kubernetes) {
        if (version != row->api_version)
            version_field.wrong((version.empty() ? "missing" : base::quoted(version)) + "; kind " + kind +
                                " is of apiVersion " + std::string(row->api_version));
        return row;
    }
    if (std::count(version.begin(), version.end(), '/') > 1) {
        version_field.wrong(base::quoted(version) + " is no apiVersion ([group/]version)");
        return nullptr;
    }
    if (version.empty()) {
        version_field.wrong("missing; every object needs apiVersion, kind and metadata.name");
        return nullptr;
    }
    const auto meant = base::did_you_mean(kind, {"Service", "Pod", "EndpointSlice", "Endpoints", "Node", "List"});
    if (of_kubernetes && !meant.empty() && kind != "List")
        kind_field.warn("objects of kind " + base::shortened(kind, 80) + " are not used here" + meant);
    other = base::shortened(kind, 80) + (group.empty() ? "" : "." + base::shortened(std::string(group), 100));
    return nullptr;
}

void decode_kind(const KindRow& row, const Field& document, Metadata metadata, Decoded& decoded) {
    if (row.kind == "Endpoints") {
        document.only(endpoints_fields);
        for (EndpointSlice& slice : decode_endpoints(document, metadata))
            decoded.objects.emplace_back(std::move(slice));
        return;
    }
    if (row.kind == "EndpointSlice") {
        document.only(slice_fields);
        decoded.objects.emplace_back(decode_endpoint_slice(document, std::move(metadata)));
        return;
    }
    document.only(object_fields);
    if (row.object == Kind::service)
        decoded.objects.emplace_back(decode_service(document, std::move(metadata)));
    else if (row.object == Kind::pod)
        decoded.objects.emplace_back(decode_pod(document, std::move(metadata)));
    else if (row.object == Kind::service_cidr)
        decoded.objects.emplace_back(decode_service_cidr(document, std::move(metadata)));
    else
        decoded.objects.emplace_back(decode_node(document, std::move(metadata)));
}

ObjectName name_of(const Object& object) {
    return std::visit([](const auto& o) { return o.name; }, object);
}

}  // namespace

Decoded decode(const Value& value, const KindHint& hint, Strictness strictness) {
    Decoded decoded;
    const Field document(value, decoded.mistakes, strictness);
    if (value.kind() != Value::Kind::object) {
        document.wrong("must be a Kubernetes object (apiVersion, kind, metadata, ...)");
        return decoded;
    }
    const KindRow* row = find_kind(document, hint, decoded.other);
    if (row == nullptr) {
        std::vector<Mistake> ignored;
        const Field quiet(value, ignored);
        const Field metadata = quiet["metadata"];
        const std::string kind = quiet["kind"].text(hint.kind);
        decoded.label =
            base::shortened(kind, 80) + (kind.empty() ? "" : " ") + base::shortened(metadata["name"].text(), 253);
        decoded.version = metadata["resourceVersion"].text();
        return decoded;
    }
    Metadata metadata = read_metadata(document, *row);
    decoded.kind = row->object;
    decoded.name = metadata.name;
    decoded.version = metadata.version;
    decoded.label = std::string(row->kind) + " " + base::shortened(to_string(metadata.name), 320);
    decode_kind(*row, document, std::move(metadata), decoded);
    for (const Object& object : decoded.objects)
        decoded.names.push_back(name_of(object));
    if (std::any_of(decoded.mistakes.begin(), decoded.mistakes.end(), [](const Mistake& m) { return !m.warning; }))
        decoded.objects.clear();
    return decoded;
}

Labels read_texts(const Field& field) {
    Labels labels;
    field.each_member([&](std::string_view key, const Field& value) { labels[std::string(key)] = value.text(); });
    return labels;
}

Labels read_labels(const Field& field) {
    Labels labels;
    field.each_member([&](std::string_view key, const Field& value) {
        std::string text = value.text();
        value.check(check_label_key(key));
        value.check(check_label_value(text));
        labels[std::string(key)] = std::move(text);
    });
    return labels;
}

Protocol read_protocol(const Field& field) {
    return static_cast<Protocol>(field.one_of({"TCP", "UDP", "SCTP"}));
}

PortReference read_port_reference(const Field& field, PortReference otherwise) {
    if (!field.given())
        return otherwise;
    if (field.is_text()) {
        std::string name = field.text();
        field.check(check_port_name(name));
        return name;
    }
    return static_cast<std::uint16_t>(field.integer(1, 65535, 1));
}

std::vector<base::Prefix> read_networks(const Field& field) {
    std::vector<base::Prefix> networks;
    field.each([&](const Field& item) {
        const std::string text = item.text();
        if (const auto network = base::parse_network(text))
            networks.push_back(*network);
        else if (item.is_text())
            item.against_rules(base::quoted(text) + " is not a CIDR such as 10.0.0.0/8");
    });
    return networks;
}

/// Old servers stored 010.000.000.001, and read it as 10.0.0.1 (k8s.io/utils/net ParseIPSloppy).
static std::string without_leading_zeros(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool starts = plain.empty() || plain.back() == '.';
        const bool more = i + 1 < text.size() && text[i + 1] != '.';
        if (!(starts && text[i] == '0' && more))
            plain += text[i];
    }
    return plain;
}

std::optional<Address> read_address(const Field& field) {
    const std::string text = field.text();
    if (!field.is_text())
        return std::nullopt;
    auto address = base::parse_address(text);
    if (!address && field.from_server() && text.find(':') == std::string::npos)
        address = base::parse_address(without_leading_zeros(text));
    const bool mapped = address && address->is_v4_mapped();
    if (mapped && field.from_server())
        return Address(address->bytes().last(4));
    // No zone (fe80::1%eth0), and no IPv4 in IPv6's clothes.
    if (!address || mapped) {
        field.wrong(base::quoted(text) + " is not an IP address");
        return std::nullopt;
    }
    return address;
}

}  // namespace api
