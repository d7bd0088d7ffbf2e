// How much of what is bounded for the whole node each Service has. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "api/objects/types.hpp"
#include "proxy/plan/claim.hpp"
#include "proxy/plan/front_ends.hpp"

namespace proxy {

/// One bounded quantity. The oldest Services have what they want of it; the one at which it is used up has what is
/// left; those that are younger have nothing, until there is room again. A change costs the logarithm of how many
/// Services there are, for each one whose share changes.
class Room {
public:
    explicit Room(std::uint64_t size) : size_(size) {}

    /// What the Service wants from now on; returns what it has. 0: it wants nothing.
    std::uint64_t want(const api::ObjectName& service, const Age& age, std::uint64_t amount);

    /// Other Services than the one of the last want() that have more or less than they had, since the last call.
    std::set<api::ObjectName> exchange_changed();

private:
    using Places = std::map<Seniority, std::uint64_t>;

    bool is_before_border(const Seniority& place) const;
    void remove(Places::iterator place);
    Places::iterator put_in(const Seniority& place, std::uint64_t amount);
    void settle();
    std::uint64_t given(const api::ObjectName& service) const;
    std::pair<std::optional<api::ObjectName>, std::uint64_t> border() const;

    std::uint64_t size_;
    Places places_;
    std::map<api::ObjectName, Places::iterator> wishes_;
    std::uint64_t used_ = 0;                        // by all before `first_short_`
    Places::iterator first_short_ = places_.end();  // the first that does not have all it wants
    std::set<api::ObjectName> changed_;
};

/// What front ends cost, over all Services of the node. Three quarters of it are for the first `ordinary` of each
/// Service, and what Services want beyond shares the last quarter: a few enormous ones leave all others theirs.
class NodeRoom {
public:
    static constexpr Cost ordinary{64, 2048};

    explicit NodeRoom(const Cost& size);

    /// Does what Room's does, of both quantities.
    Cost want(const api::ObjectName& service, const Age& age, const Cost& cost);
    std::set<api::ObjectName> exchange_changed();

private:
    struct Wish {
        Age age;
        Cost cost;
    };
    /// One quantity: it has a Room for as long as not everybody can have what he wants.
    struct Share {
        std::uint64_t size;
        std::uint64_t (*of)(const Cost&);
        std::uint64_t total = 0;
        std::optional<Room> crowded;
    };

    std::uint64_t want(Share& share, const api::ObjectName& service, const Wish& former, const Wish& wish);

    std::map<api::ObjectName, Wish> wishes_;
    Share first_front_ends_;
    Share further_front_ends_;
    Share first_real_servers_;
    Share further_real_servers_;
    std::set<api::ObjectName> changed_;
};

}  // namespace proxy
