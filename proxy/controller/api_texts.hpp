// What the controller sends to the API server and reads of its answers: the Lease, and statuses of Services. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/controller/address_allocator.hpp"
#include "proxy/controller/elector.hpp"

namespace proxy {

using WallTime = std::chrono::system_clock::time_point;

/// "/apis/coordination.k8s.io/v1/namespaces/NS/leases", and with "/NAME".
std::string leases_path(const api::ObjectName& lease);
std::string lease_path(const api::ObjectName& lease);

/// nullopt: the text is no Lease.
std::optional<LeaseRecord> read_lease(std::string_view json);

/// What the holder says of itself from `now` on.
struct LeaseClaim {
    std::string holder;  ///< empty: it is given up
    std::chrono::seconds duration{15};
    bool taking = false;       ///< from somebody else
    int transitions = 0;       ///< so far
    std::string reservations;  ///< for the annotation; empty: none
    WallTime now;
};

/// A Lease to create, and a merge patch of one that has `version`: what others have written into it stays.
std::string new_lease(const api::ObjectName& lease, const LeaseClaim& claim);
std::string lease_patch(const std::string& version, const LeaseClaim& claim);

/// "/api/v1/namespaces/NS/services/NAME"; the status is at "/status" behind that.
std::string service_path(const api::ObjectName& service);

/// A strategic merge patch: other conditions than ours stay.
std::string status_patch(const StatusWrite& write, WallTime now);
inline constexpr const char* strategic_merge_patch = "application/strategic-merge-patch+json";

/// nullptr: the text is no Service.
BalancedServicePtr read_service(std::string_view json);

}  // namespace proxy
