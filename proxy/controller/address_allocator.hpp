// Gives Services their addresses: which status is to be written next, by what the cluster says and by what the pools
// have. Without I/O. Never do two Services get one address, whoever leads and whatever becomes of a write:
//
//  1. plan() says what to write. An address that nobody has is reserved with it.
//  2. The reservations are written into the Lease, on the condition that nobody else has written it since. Who no
//     longer leads fails here.
//  3. The status is written, on the condition that the Service still has the version that the reservation names.
//
// Whoever leads next has these reservations from the Lease, and lists the Services after that. A reserved address is
// held until its Service has another version: then the write has arrived, or never will. Nothing of that depends on a
// clock.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/controller/address_ledger.hpp"
#include "proxy/controller/assignment.hpp"
#include "proxy/controller/pool_config.hpp"
#include "proxy/controller/reservations.hpp"
#include "proxy/controller/retry_pauses.hpp"
#include "proxy/controller/service_roll.hpp"

namespace proxy {

/// What is to be written into the status of a Service.
struct StatusWrite {
    api::ObjectName service;
    std::string uid;
    std::string version;  ///< the write is for that one only
    std::vector<api::BalancerIngress> ingress;
    bool changes_ingress = false;
    bool adds = false;  ///< addresses: the Lease must have the reservations before it is written
    std::optional<api::StatusCondition> condition;  ///< nullopt: there is to be none
    bool warning = false;                           ///< what the condition says is none that people wish for
    bool news = false;                              ///< it says something else than before: an Event
    std::string lost;                               ///< an address that the Service loses; for an Event
};

/// What has become of a write.
struct WriteResult {
    enum class Kind : std::uint8_t {
        written,
        conflict,  ///< the Service has another version by now
        refused,   ///< the server has said no
        unknown    ///< it has not answered: it may have written it, or do so later
    };
    Kind kind = Kind::unknown;
    BalancedServicePtr service;  ///< as the server has it now; nullptr: not known
};

class AddressAllocator {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// So many may be on their way together; each takes some 300 bytes of the Lease.
    static constexpr std::size_t most_reservations = 128;
    /// How long to wait after a write that has failed: the first time, and at most.
    static constexpr std::chrono::seconds first_pause{1};
    static constexpr std::chrono::seconds longest_pause{300};

    void configure(PoolConfig config);
    const PoolConfig& config() const { return config_; }

    /// Leads from now on, with what the Lease says. All that was known of Services is forgotten: list() must come.
    void begin(const std::vector<AddressReservation>& reservations);

    void list(std::vector<BalancedServicePtr> services, Time now);
    void put(BalancedServicePtr service);
    void remove(const api::ObjectName& name);

    /// At most `most` writes, each for a Service that has none under way. Each is to be answered by finish().
    std::vector<StatusWrite> plan(Time now, std::size_t most);
    /// Whether plan() has more to look at, without anything having happened.
    bool has_more() const { return more_; }
    /// The Lease is to say these.
    std::vector<AddressReservation> reservations() const;
    void finish(const StatusWrite& write, WriteResult result, Time now);

    /// When plan() has more to say without anything having happened; nullopt: never.
    std::optional<Time> next_moment() const;

    const AddressLedger& ledger() const { return ledger_; }
    const ServiceRoll& services() const { return services_; }
    /// Services that do not have what they ask for.
    const std::map<api::ObjectName, AddressFate>& unsatisfied() const { return unsatisfied_; }
    std::size_t in_flight() const { return in_flight_.size(); }
    bool is_idle() const { return dirty_.empty() && in_flight_.empty() && pauses_.empty(); }

private:
    struct Held {
        AddressReservation reservation;
        bool uncertain = false;  // a write of it may still be under way
    };

    void touch(const api::ObjectName& name);
    void look_at(const api::ObjectName& name);
    void hold(const api::ObjectName& name);
    std::vector<base::Address> reserved_for(const api::ObjectName& name) const;
    std::optional<StatusWrite> judge(const api::ObjectName& name);
    std::optional<StatusWrite> judge_ours(const api::BalancedService& service);
    std::optional<StatusWrite> judge_other(const api::BalancedService& service);
    bool has_room_for(const StatusWrite& write) const;
    void reserve(const StatusWrite& write);

    PoolConfig config_;
    ServiceRoll services_;
    AddressLedger ledger_;
    std::map<api::ObjectName, Held> reservations_;
    std::set<std::pair<std::chrono::sys_seconds, api::ObjectName>> dirty_;  // the oldest Service is first
    std::set<api::ObjectName> waiting_;  // they may get more when something else changes
    std::map<api::ObjectName, AddressFate> unsatisfied_;
    RetryPauses<api::ObjectName> pauses_{first_pause, longest_pause};
    std::set<api::ObjectName> in_flight_;
    bool listed_ = false;
    bool more_ = false;
};

}  // namespace proxy
