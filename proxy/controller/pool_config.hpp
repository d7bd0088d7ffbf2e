// The controller's configuration file: pools, and for which Services it is there. Read anew while the controller runs.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/controller/address_pool.hpp"

namespace proxy {

struct PoolConfig {
    static constexpr std::size_t most_pools = 256;
    static constexpr std::size_t most_ranges = 64;  ///< of a pool

    std::string load_balancer_class = "podferry.io/edge";
    bool services_without_class = false;  ///< are given addresses too
    std::string default_address_class;    ///< of Services that ask for none; empty: any pool will do
    std::vector<AddressPool> pools;       ///< in the order in which they are tried; no two overlap
    bool operator==(const PoolConfig&) const = default;

    const AddressPool* pool_of(const base::Address& address) const;
    const AddressPool* pool_named(std::string_view name) const;
};

/// The error has a line for each mistake: "FILE:LINE: pools[0].addresses[1]: what is wrong\n".
tl::expected<PoolConfig, std::string> read_pool_config(std::string_view yaml, const std::string& file);

}  // namespace proxy
