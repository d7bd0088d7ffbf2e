#include "api/decode.hpp"

#include <algorithm>
#include <array>

#include "api/decode_parts.hpp"
#include "api/names.hpp"
#include "api/plain_text.hpp"

namespace api {
namespace {

struct KindRow {
    std::string_view kind;
    std::string_view api_version;
    Kind object;
    std::string (*check_name)(std::string_view);
};

constexpr std::array<KindRow, 5> kinds = {{
    {"Service", "v1", Kind::service, check_dns1035_label},
    {"Pod", "v1", Kind::pod, check_dns_subdomain},
    {"Node", "v1", Kind::node, check_dns_subdomain},
    {"Endpoints", "v1", Kind::endpoint_slice, check_dns_subdomain},
    {"EndpointSlice", "discovery.k8s.io/v1", Kind::endpoint_slice, check_dns_subdomain},
}};

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
    if (row.object == Kind::node) {
        if (!space.text().empty())
            space.wrong("a Node has no namespace");
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
    if (const auto created = field["creationTimestamp"].time())
        metadata.created = std::chrono::floor<std::chrono::seconds>(*created);
    metadata.labels = read_labels(labels);
    metadata.annotations = read_texts(annotations);
    metadata.terminating = !field["deletionTimestamp"].text().empty();
    return metadata;
}

const KindRow* find_kind(const Field& document, const std::string& kind, const std::string& version) {
    const auto row = std::find_if(kinds.begin(), kinds.end(), [&](const KindRow& r) { return r.kind == kind; });
    const Field kind_field = document["kind"];
    if (row == kinds.end()) {
        if (kind.empty())
            kind_field.wrong("missing; every object needs apiVersion, kind and metadata.name");
        else
            kind_field.warn("objects of kind " + shortened(kind, 80) +
                            " are not used here; Service, Pod, EndpointSlice, Endpoints, Node and List are" +
                            did_you_mean(kind, {"Service", "Pod", "EndpointSlice", "Endpoints", "Node", "List"}));
        return nullptr;
    }
    const Field version_field = document["apiVersion"];
    if (version != row->api_version)
        version_field.wrong((version.empty() ? "missing" : quoted(version)) + "; kind " + kind + " is of apiVersion " +
                            std::string(row->api_version));
    return &*row;
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
    else
        decoded.objects.emplace_back(decode_node(document, std::move(metadata)));
}

ObjectName name_of(const Object& object) {
    return std::visit([](const auto& o) { return o.name; }, object);
}

}  // namespace

Decoded decode(const Value& value, const std::string& kind_hint, Strictness strictness) {
    Decoded decoded;
    const Field document(value, decoded.mistakes, strictness);
    if (value.kind() != Value::Kind::object) {
        document.wrong("a Kubernetes object belongs here (apiVersion, kind, metadata, ...)");
        return decoded;
    }
    const std::string kind = document["kind"].text(kind_hint);
    const std::string version = document["apiVersion"].text(kind_hint.empty()              ? ""
                                                            : kind_hint == "EndpointSlice" ? "discovery.k8s.io/v1"
                                                                                           : "v1");
    const KindRow* row = find_kind(document, kind, version);
    if (row == nullptr) {
        std::vector<Mistake> ignored;
        const Field quiet(value, ignored);
        const Field metadata = quiet["metadata"];
        decoded.label = shortened(kind, 80) + (kind.empty() ? "" : " ") + shortened(metadata["name"].text(), 253);
        decoded.version = metadata["resourceVersion"].text();
        return decoded;
    }
    Metadata metadata = read_metadata(document, *row);
    decoded.kind = row->object;
    decoded.name = metadata.name;
    decoded.version = metadata.version;
    decoded.label = kind + " " + shortened(to_string(metadata.name), 320);
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
    boost::system::error_code error;
    Address address;
    if (text.find(':') != std::string::npos)
        address = boost::asio::ip::make_address_v6(text, error);
    else
        address = boost::asio::ip::make_address_v4(text, error);
    if (error && field.from_server())
        address = boost::asio::ip::make_address_v4(without_leading_zeros(text), error);
    const bool mapped = !error && address.is_v6() && address.to_v6().is_v4_mapped();
    if (mapped && field.from_server())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
    // No zone (fe80::1%eth0), and no IPv4 in IPv6's clothes.
    if (error || text.find('%') != std::string::npos || mapped) {
        field.wrong(quoted(text) + " is not an IP address");
        return std::nullopt;
    }
    return address;
}

}  // namespace api
