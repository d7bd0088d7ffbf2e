// What the decoders of the single kinds share.
#pragma once

#include "api/objects/decode.hpp"
#include "api/objects/types.hpp"
#include "api/wire/field.hpp"

namespace api {

struct Metadata {
    ObjectName name;
    std::string uid;
    std::string version;
    std::chrono::sys_seconds created;
    Labels labels;
    Labels annotations;
    bool terminating = false;
};

Labels read_labels(const Field& field);
/// A map of texts without rules for keys and values.
Labels read_texts(const Field& field);
Protocol read_protocol(const Field& field);
/// A port number, or the name of a container port; `otherwise` when absent.
PortReference read_port_reference(const Field& field, PortReference otherwise);
/// nullopt, after a note, when it is not an IP address.
std::optional<Address> read_address(const Field& field);

/// A list of CIDRs (base::parse_network). What is none breaks a rule of the API server, and is left out.
std::vector<base::Prefix> read_networks(const Field& field);

Service decode_service(const Field& document, Metadata metadata);
Pod decode_pod(const Field& document, Metadata metadata);
Node decode_node(const Field& document, Metadata metadata);
ServiceCidr decode_service_cidr(const Field& document, Metadata metadata);
EndpointSlice decode_endpoint_slice(const Field& document, Metadata metadata);
/// One slice per subset and family; named "NAME:SUBSET:FAMILY", which no real slice can be.
std::vector<EndpointSlice> decode_endpoints(const Field& document, const Metadata& metadata);

std::optional<Probe> decode_probe(const Field& field, bool is_readiness, const Field& environment);

}  // namespace api
