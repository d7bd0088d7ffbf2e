#include "api/cluster/watched_resources.hpp"

namespace api {

std::vector<WatchedResource> resources_of_node(const std::string& node_name) {
    using enum WatchedResource::Need;
    // Services that another proxy serves, and headless ones, stay at the server (kube-proxy's own selectors, service/
    // config.go and server.go of v1.37; older servers know no field selector for clusterIP).
    WatchedResource services{{"services", "Service", "/api/v1/services",
                              "labelSelector=" + encode_query("!service.kubernetes.io/service-proxy-name"),
                              "fieldSelector=" + encode_query("spec.clusterIP!=None")},
                             Kind::service,
                             must,
                             "Services",
                             {},
                             false};
    WatchedResource slices{{"endpointslices",
                            "EndpointSlice",
                            "/apis/discovery.k8s.io/v1/endpointslices",
                            "labelSelector=" + encode_query("!service.kubernetes.io/headless"),
                            {}},
                           Kind::endpoint_slice,
                           must,
                           "EndpointSlices",
                           {},
                           false};
    WatchedResource node{
        {"nodes", "Node", "/api/v1/nodes", "fieldSelector=" + encode_query("metadata.name=" + node_name), {}},
        Kind::node,
        soon,
        "Node " + node_name,
        "the API has no such Node: is node_name right? Until it is there, this host's own addresses are "
        "used",
        true};
    // Since Kubernetes 1.33. Older servers do not have it, and older roles not the right to it: neither is worth more
    // than a word.
    WatchedResource cidrs{{"servicecidrs", "ServiceCIDR", "/apis/networking.k8s.io/v1/servicecidrs", {}, {}},
                          Kind::service_cidr,
                          if_there,
                          "ServiceCIDRs",
                          {},
                          false};
    return {std::move(services), std::move(slices), std::move(node), std::move(cidrs)};
}

WatchedResource slices_of_service(const ObjectName& service) {
    return {{"node_endpointslices",
             "EndpointSlice",
             "/apis/discovery.k8s.io/v1/namespaces/" + service.space + "/endpointslices",
             "labelSelector=" + encode_query("kubernetes.io/service-name=" + service.name),
             {}},
            Kind::endpoint_slice,
            WatchedResource::Need::if_there,
            "EndpointSlices of Service " + to_string(service),
            {},
            false};
}

WatchedResource pods_of_node(const std::string& node_name) {
    return {{"pods", "Pod", "/api/v1/pods", "fieldSelector=" + encode_query("spec.nodeName=" + node_name), {}},
            Kind::pod,
            WatchedResource::Need::if_there,
            "pods of this node",
            {},
            false};
}

}  // namespace api
