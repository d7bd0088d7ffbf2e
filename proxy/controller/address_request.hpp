// What a Service asks for: by spec.loadBalancerIP and by annotations, ours and those that MetalLB and kube-vip have for
// the same (docs/load-balancer.md has the table). Pure.
#pragma once

#include <string>
#include <vector>

#include "api/objects/balanced_service.hpp"
#include "proxy/controller/pool_config.hpp"

namespace proxy {

struct AddressRequest {
    static constexpr std::size_t most_addresses = 16;

    std::vector<base::Address> addresses;  ///< without doubles; empty: any
    std::string pool;                      ///< empty: any
    std::string address_class;             ///< "private", "public"; empty: any
    std::string sharing_key;               ///< empty: its addresses are its own
    std::string mistake;                   ///< not empty: it cannot be obeyed; which field, and what is wrong with it
    bool operator==(const AddressRequest&) const = default;
};

AddressRequest request_of(const api::BalancedService& service, const PoolConfig& config);

/// Whether the controller gives that Service addresses: it is of type LoadBalancer, and of our class or of none, if
/// these are ours. One whose status has a host name belongs to a cloud's controller, unless its class is ours.
bool is_ours(const api::BalancedService& service, const PoolConfig& config);

}  // namespace proxy
