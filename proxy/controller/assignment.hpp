// What the status of one Service is to say: a pure function of the Service, the pools, and who has which address.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/objects/balanced_service.hpp"
#include "proxy/controller/address_ledger.hpp"
#include "proxy/controller/address_request.hpp"
#include "proxy/controller/pool_config.hpp"

namespace proxy {

/// How a Service stands; the reason of its condition and of its Event.
enum class AddressFate : std::uint8_t {
    allocated,          ///< it has what it asks for
    outside_pools,      ///< it has an address that is in no pool: kept, and said
    pool_exhausted,     ///< no address is free
    address_taken,      ///< another Service has the address that it asks for, or had its own first
    address_not_given,  ///< what it asks for is in no pool, or not in one that gives it
    wrong_family,       ///< what it asks for is of a family that the Service or the pool does not have
    unknown_pool,       ///< no pool has the name that it asks for
    no_pool,            ///< no pool is for it
    bad_request,        ///< an annotation cannot be read, or contradicts another
};
/// "AddressAllocated", "PoolExhausted", ...
std::string_view word(AddressFate fate);
/// All of them, in order; for metrics.
std::span<const std::string_view> address_fates();

struct Assignment {
    std::vector<api::BalancerIngress> ingress;  ///< what the status is to have
    std::vector<base::Address> added;           ///< those of `ingress` that the Service does not hold yet
    AddressFate fate = AddressFate::allocated;
    std::string message;  ///< for people: what it is, and what to do; the same as long as nothing has changed
    std::string lost;     ///< why it loses an address; empty: it loses none
    bool waits = false;   ///< it may get more when an address is free or the pools are others

    bool satisfied() const { return fate == AddressFate::allocated || fate == AddressFate::outside_pools; }
};

/// `reserved`: addresses that are about to be written into the Service's status, which count as if they were there.
/// `ledger` has these and the status. The Service must be ours (is_ours()).
Assignment assign(const api::BalancedService& service, const std::vector<base::Address>& reserved,
                  const PoolConfig& config, const AddressLedger& ledger);

/// The addresses that its status has, or those of a list.
std::vector<base::Address> addresses_of(const std::vector<api::BalancerIngress>& ingress);

}  // namespace proxy
