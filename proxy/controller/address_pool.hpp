// Pools of addresses for Services of type LoadBalancer, and for which Services each one is. Pure values.
#pragma once

#include <string>
#include <vector>

#include "api/objects/balanced_service.hpp"
#include "proxy/controller/address_range.hpp"

namespace proxy {

/// A Kubernetes LabelSelector (meta/v1): all of its requirements must hold; one without any fits everything.
struct LabelSelector {
    enum class Operator : std::uint8_t { in, not_in, exists, does_not_exist };
    struct Requirement {
        std::string key;
        Operator how = Operator::in;
        std::vector<std::string> values;
        bool operator==(const Requirement&) const = default;
    };
    std::vector<Requirement> requirements;
    bool operator==(const LabelSelector&) const = default;

    bool matches(const api::Labels& labels) const;
};

struct AddressPool {
    std::string name;
    std::vector<AddressRange> ranges;
    bool auto_assign = true;       ///< else only who asks for the pool or for one of its addresses gets one
    bool avoid_buggy_ips = false;  ///< no .0 and no .255
    std::string address_class;     ///< "private", "public", or empty
    int priority = 0;              ///< lower ones are tried first; 0 comes last (MetalLB's serviceAllocation.priority)
    api::IpMode ip_mode = api::IpMode::vip;
    std::vector<std::string> namespaces;           ///< empty: all
    std::vector<LabelSelector> service_selectors;  ///< of labels of Services, one must fit; none: all fit
    bool operator==(const AddressPool&) const = default;

    bool contains(const base::Address& address) const;
    bool has_family(api::Family family) const;
    /// Whether its namespaces and selectors let the Service in.
    bool is_for(const api::BalancedService& service) const;
    /// How many addresses it can give of that family, at most 2^32.
    std::uint64_t size(api::Family family) const;
};

/// In which order they are tried.
bool comes_before(const AddressPool& a, const AddressPool& b);

}  // namespace proxy
