// How many of the front ends that a Service asks for it gets: within its own bound, and within the node's. Decided
// before anything is made of them. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "proxy/plan/front_ends.hpp"
#include "proxy/plan/request.hpp"
#include "proxy/plan/room.hpp"

namespace proxy {

class Budget {
public:
    Budget(const Cost& per_service, const Cost& per_node) : per_service_(per_service), room_(per_node) {}

    struct Grant {
        std::size_t front_ends = 0;         ///< the first so many of the request
        std::vector<std::string> problems;  ///< what the Service does not get: "field: sentence"
    };
    /// `request`: with up to most_front_ends(); `endpoints`: resolved up to most_endpoints().
    Grant grant(const api::Service& service, const Request& request, const std::vector<api::PortEndpoints>& endpoints,
                const Age& age);

    /// The Service is gone.
    void release(const api::ObjectName& service) { room_.want(service, {}, {}); }

    /// Services that would be granted more or less than they were, since the last call: they are to be planned again.
    std::set<api::ObjectName> exchange_changed() { return room_.exchange_changed(); }

    std::size_t most_front_ends() const { return per_service_.front_ends; }
    std::size_t most_endpoints() const { return per_service_.real_servers; }

private:
    Cost per_service_;
    NodeRoom room_;
};

}  // namespace proxy
