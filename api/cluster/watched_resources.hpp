// Which resources a source watches at the API, and what each is worth to it: values, so that another role watches
// others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/cluster/list_watch.hpp"
#include "api/objects/types.hpp"

namespace api {

struct WatchedResource {
    /// What its absence means. The later ones do not hold up the start for long, and nobody calls it an outage when
    /// they alone are away.
    enum class Need : std::uint8_t {
        must,     ///< nothing is delivered before its first complete list
        soon,     ///< awaited for some seconds, when all that must be there is
        if_there  ///< the same; but that the server does not have it (404) is an answer, and that we may not read it
                  ///< (403) is told once
    };
    Resource resource;
    Kind kind = Kind::service;
    Need need = Need::must;
    /// People see it who ask what is waited for: "Node n1", "ServiceCIDRs".
    std::string title;
    /// The problem `title` has when the list is empty; an empty text: none.
    std::string when_empty;
    /// Only an event says that an object is gone: a list without any is the word of a server that may have lost its
    /// data.
    bool only_events_empty_it = false;
};

/// Those of a node: Services and EndpointSlices, its own Node, ServiceCIDRs.
std::vector<WatchedResource> resources_of_node(const std::string& node_name);

/// The EndpointSlices of a headless Service, which those of a node leave out.
WatchedResource slices_of_service(const ObjectName& service);

/// The pods that run on that node, for who probes them.
WatchedResource pods_of_node(const std::string& node_name);

}  // namespace api
