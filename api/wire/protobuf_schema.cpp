#include "api/wire/protobuf_schema.hpp"

#include <array>
#include <utility>

namespace api {
namespace {

using Form = ProtobufForm;
using Field = ProtobufField;

constexpr bool omit_empty = true;

constexpr Field list_of(std::uint32_t number, std::string_view name, Form form,
                        const ProtobufMessage* message = nullptr) {
    return {number, name, form, false, true, message};
}

constexpr Field one(std::uint32_t number, std::string_view name, const ProtobufMessage& message) {
    return {number, name, Form::message, false, false, &message};
}

// ---- meta/v1 -------------------------------------------------------------------------------------------------

constexpr std::array metadata_fields{Field{1, "name", Form::text, omit_empty},
                                     Field{3, "namespace", Form::text, omit_empty},
                                     Field{5, "uid", Form::text, omit_empty},
                                     Field{6, "resourceVersion", Form::text, omit_empty},
                                     Field{8, "creationTimestamp", Form::time},
                                     Field{9, "deletionTimestamp", Form::time},
                                     Field{11, "labels", Form::map},
                                     Field{12, "annotations", Form::map}};
constexpr ProtobufMessage metadata{metadata_fields};

constexpr std::array list_metadata_fields{Field{2, "resourceVersion", Form::text}, Field{3, "continue", Form::text}};
constexpr std::array type_metadata_fields{Field{2, "kind", Form::text}};

constexpr std::array cause_fields{Field{1, "reason", Form::text}};
constexpr ProtobufMessage cause{cause_fields};
constexpr std::array details_fields{list_of(4, "causes", Form::message, &cause)};
constexpr ProtobufMessage details{details_fields};
constexpr std::array status_fields{Field{3, "message", Form::text}, one(5, "details", details),
                                   Field{6, "code", Form::integer}};

// ---- core/v1 Service -----------------------------------------------------------------------------------------

constexpr std::array service_port_fields{Field{1, "name", Form::text, omit_empty},
                                         Field{2, "protocol", Form::text, omit_empty}, Field{3, "port", Form::integer},
                                         Field{4, "targetPort", Form::int_or_text},
                                         Field{5, "nodePort", Form::integer, omit_empty}};
constexpr ProtobufMessage service_port{service_port_fields};

constexpr std::array client_ip_fields{Field{1, "timeoutSeconds", Form::integer}};
constexpr ProtobufMessage client_ip{client_ip_fields};
constexpr std::array affinity_fields{one(1, "clientIP", client_ip)};
constexpr ProtobufMessage affinity{affinity_fields};

constexpr std::array service_spec_fields{list_of(1, "ports", Form::message, &service_port),
                                         Field{2, "selector", Form::map},
                                         Field{3, "clusterIP", Form::text, omit_empty},
                                         Field{4, "type", Form::text, omit_empty},
                                         list_of(5, "externalIPs", Form::text),
                                         Field{7, "sessionAffinity", Form::text, omit_empty},
                                         list_of(9, "loadBalancerSourceRanges", Form::text),
                                         Field{10, "externalName", Form::text, omit_empty},
                                         Field{11, "externalTrafficPolicy", Form::text, omit_empty},
                                         Field{12, "healthCheckNodePort", Form::integer, omit_empty},
                                         Field{13, "publishNotReadyAddresses", Form::flag, omit_empty},
                                         one(14, "sessionAffinityConfig", affinity),
                                         Field{17, "ipFamilyPolicy", Form::text},
                                         list_of(18, "clusterIPs", Form::text),
                                         list_of(19, "ipFamilies", Form::text),
                                         Field{20, "allocateLoadBalancerNodePorts", Form::flag},
                                         Field{22, "internalTrafficPolicy", Form::text}};
static_assert(service_spec_fields.size() <= most_protobuf_fields);  // the largest
constexpr ProtobufMessage service_spec{service_spec_fields};

constexpr std::array ingress_fields{Field{1, "ip", Form::text, omit_empty}, Field{3, "ipMode", Form::text}};
constexpr ProtobufMessage ingress{ingress_fields};
constexpr std::array balancer_fields{list_of(1, "ingress", Form::message, &ingress)};
constexpr ProtobufMessage balancer{balancer_fields};
constexpr std::array service_status_fields{one(1, "loadBalancer", balancer)};
constexpr ProtobufMessage service_status{service_status_fields};

constexpr std::array service_fields{one(1, "metadata", metadata), one(2, "spec", service_spec),
                                    one(3, "status", service_status)};
constexpr ProtobufMessage service{service_fields};

// ---- discovery/v1 EndpointSlice ------------------------------------------------------------------------------

constexpr std::array conditions_fields{Field{1, "ready", Form::flag}, Field{2, "serving", Form::flag},
                                       Field{3, "terminating", Form::flag}};
constexpr ProtobufMessage conditions{conditions_fields};
constexpr std::array named_fields{Field{1, "name", Form::text}};
constexpr ProtobufMessage named{named_fields};
constexpr std::array hints_fields{list_of(1, "forZones", Form::message, &named),
                                  list_of(2, "forNodes", Form::message, &named)};
constexpr ProtobufMessage hints{hints_fields};
constexpr std::array endpoint_fields{list_of(1, "addresses", Form::text), one(2, "conditions", conditions),
                                     Field{6, "nodeName", Form::text}, one(8, "hints", hints)};
constexpr ProtobufMessage endpoint{endpoint_fields};
constexpr std::array endpoint_port_fields{Field{1, "name", Form::text}, Field{2, "protocol", Form::text},
                                          Field{3, "port", Form::integer}};
constexpr ProtobufMessage endpoint_port{endpoint_port_fields};
constexpr std::array slice_fields{one(1, "metadata", metadata), list_of(2, "endpoints", Form::message, &endpoint),
                                  list_of(3, "ports", Form::message, &endpoint_port),
                                  Field{4, "addressType", Form::text}};
constexpr ProtobufMessage slice{slice_fields};

// ---- core/v1 Node --------------------------------------------------------------------------------------------

constexpr std::array taint_fields{Field{1, "key", Form::text}};
constexpr ProtobufMessage taint{taint_fields};
constexpr std::array node_spec_fields{Field{1, "podCIDR", Form::text, omit_empty}, list_of(7, "podCIDRs", Form::text),
                                      list_of(5, "taints", Form::message, &taint)};
constexpr ProtobufMessage node_spec{node_spec_fields};
constexpr std::array address_fields{Field{1, "type", Form::text}, Field{2, "address", Form::text}};
constexpr ProtobufMessage address{address_fields};
constexpr std::array node_status_fields{list_of(5, "addresses", Form::message, &address)};
constexpr ProtobufMessage node_status{node_status_fields};
constexpr std::array node_fields{one(1, "metadata", metadata), one(2, "spec", node_spec),
                                 one(3, "status", node_status)};
constexpr ProtobufMessage node{node_fields};

// ---- networking/v1 ServiceCIDR -------------------------------------------------------------------------------

constexpr std::array service_cidr_spec_fields{list_of(1, "cidrs", Form::text)};
constexpr ProtobufMessage service_cidr_spec{service_cidr_spec_fields};
constexpr std::array service_cidr_fields{one(1, "metadata", metadata), one(2, "spec", service_cidr_spec)};
constexpr ProtobufMessage service_cidr{service_cidr_fields};

}  // namespace

const ProtobufMessage status_message{status_fields};
const ProtobufMessage list_metadata{list_metadata_fields};
const ProtobufMessage type_metadata{type_metadata_fields};

const ProtobufMessage* protobuf_message(std::string_view kind) {
    static constexpr std::pair<std::string_view, const ProtobufMessage*> messages[] = {
        {"Service", &service}, {"EndpointSlice", &slice}, {"Node", &node}, {"ServiceCIDR", &service_cidr}};
    for (const auto& [name, message] : messages)
        if (name == kind)
            return message;
    return nullptr;
}

}  // namespace api
