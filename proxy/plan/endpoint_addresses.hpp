// Which addresses can be endpoints. One that is a ClusterIP would make the node answer for the pod: what IPVS sends
// there comes to the host's own daemons. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "proxy/plan/external_addresses.hpp"

namespace proxy {

/// What has been left out of a Service's endpoints.
struct ImpossibleEndpoints {
    std::vector<std::string> problems;  ///< "endpoints: sentence", the first few
    std::set<Address> cluster_ips;      ///< of Services, outside the configured ranges
};

/// Takes out of `endpoints` what is in service ranges, is a ClusterIP, or is no pod's address at all (loopback,
/// broadcast, ...).
ImpossibleEndpoints drop_impossible(std::vector<api::PortEndpoints>& endpoints, const ClaimFacts& facts,
                                    const AddressBook& book);

/// A Service as it is planned: its endpoints without the impossible ones, and its addresses noted in the book (which is
/// that of `around`). Returns the problems.
std::vector<std::string> note_addresses(const api::Service& service, std::vector<api::PortEndpoints>& endpoints,
                                        const Surroundings& around, AddressBook& book);

}  // namespace proxy
