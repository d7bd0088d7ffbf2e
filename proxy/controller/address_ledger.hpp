// Who has which address: what the status of each Service says, and what the leader is about to write into one. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/objects/balanced_service.hpp"
#include "proxy/controller/address_pool.hpp"

namespace proxy {

/// How a Service uses its addresses, which says with whom it may share them. MetalLB's rules
/// (internal/allocator/allocator.go, checkSharing): the same key, no port in common, and all of them of policy Cluster
/// or with the same pods behind them.
struct AddressUse {
    std::string sharing_key;
    std::string backend;  ///< of policy Local: the selector, in words; of policy Cluster empty
    std::vector<std::pair<api::Protocol, std::uint16_t>> ports;  ///< sorted
    bool ours = false;                                           ///< the controller may take the address from it
    std::chrono::sys_seconds created;

    bool operator==(const AddressUse&) const = default;
};

AddressUse use_of(const api::BalancedService& service, std::string sharing_key, bool ours);

/// Empty: both may have one address; else why not, as the end of a sentence.
std::string why_not_shared(const AddressUse& one, const AddressUse& other);

/// Of two that cannot share an address, whether the first one keeps it: what is not ours does, then the older one.
bool keeps(const AddressUse& one, const api::ObjectName& name, const AddressUse& other,
           const api::ObjectName& other_name);

class AddressLedger {
public:
    using Users = std::map<api::ObjectName, AddressUse>;

    /// The Service has these addresses and no others; how many does not matter, and none is the same as forget().
    void set(const api::ObjectName& service, std::vector<base::Address> addresses, const AddressUse& use);
    void forget(const api::ObjectName& service) { set(service, {}, {}); }

    /// nullptr: nobody has it.
    const Users* users(const base::Address& address) const;

    /// The lowest address of the range that nobody has.
    std::optional<base::Address> first_free(const AddressRange& range, bool avoid_buggy_ips) const;

    /// The lowest address of the range whose users may share it with `use`, of which there are some.
    std::optional<base::Address> first_shared(const AddressRange& range, const AddressUse& use,
                                              const api::ObjectName& service) const;

    /// How many addresses of the pool somebody has.
    std::uint64_t used_of(const AddressPool& pool, api::Family family) const;

    /// Whether somebody has lost an address, or has another use of it, since the last call: who waits may get it.
    bool take_freed() { return std::exchange(freed_, false); }

    std::size_t size() const { return users_.size(); }

private:
    using Addresses = std::map<base::Address, Users>;

    void add(const base::Address& address, const api::ObjectName& service, const AddressUse& use);
    void remove(const base::Address& address, const api::ObjectName& service);

    Addresses users_;
    std::map<api::ObjectName, std::vector<base::Address>> held_;
    std::map<std::string, std::map<base::Address, std::size_t>> by_key_;  // sharing keys: addresses, and how many users
    /// Where the search of a range begins: before that everything is taken.
    mutable std::map<std::pair<AddressRange, bool>, base::Address> cursors_;
    bool freed_ = false;
};

}  // namespace proxy
