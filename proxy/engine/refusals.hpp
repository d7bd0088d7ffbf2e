// What the kernel refuses, object by object: when each is tried again, and what is said of it. What is beside a refused
// object is never held back. No clock: `now` is passed in.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "api/objects/source.hpp"
#include "netlink/objects.hpp"
#include "proxy/engine/desired.hpp"

namespace proxy {

using Time = std::chrono::steady_clock::time_point;

/// One real server of a virtual server; the default one stands for the virtual server itself.
struct ServerKey {
    netlink::VirtualServer server;
    netlink::RealServer real;
    auto operator<=>(const ServerKey&) const = default;
};

/// The object that a change is about.
using ObjectKey = std::variant<ServerKey, netlink::LocalRoute, netlink::Element>;
ObjectKey key_of(const netlink::Change& change);
/// The object will be compared.
void touch(const ObjectKey& key, Touched& touched);

/// A change that the kernel refused. It is tried again with back-off, 100 ms doubling to 30 s.
struct Refused {
    netlink::Change change;
    std::error_code error;
    int failures = 1;  ///< how often in a row
};

/// Whether a refusal says that our picture of the kernel is wrong, which an audit mends: an object that is there or is
/// not (ESRCH, EEXIST, ENOENT). When an object is refused again, the picture was right. A virtual server's ENOENT means
/// its scheduler (ip_vs_add_service()).
bool doubts_the_mirror(const Refused& refused);

/// Whether the kernel says of a removal that there is nothing to remove.
bool is_gone_already(const netlink::Change& change, const std::error_code& error);

class Refusals {
public:
    /// The kernel has refused it just now; how often in a row. Another change of an object that waits is noted and
    /// waits as long.
    int note(const netlink::Change& change, const std::error_code& error, Time now);

    /// The kernel has accepted a change of that object.
    void note_applied(const netlink::Change& change);

    /// Objects whose time has come are touched.
    void touch_due(Time now, Touched& touched) const;

    /// `changes` is all that the touched objects want: what has been refused of them and is wanted no more is
    /// forgotten; what waits is removed, with the real servers of a virtual server that cannot be added.
    void hold_back(const Touched& touched, std::vector<netlink::Change>& changes, Time now);

    /// All are due at once: what they were refused for may be gone. Their back-off goes on.
    void retry_all(Time now);

    /// When the next one is due; nullopt: there is none.
    std::optional<Time> next() const;

    std::size_t size() const { return entries_.size(); }
    /// Another one each time that an object is refused for the first time, for another reason, or no more.
    std::uint64_t version() const { return version_; }
    /// How many of each kind are refused.
    std::size_t virtual_servers() const { return counts_[0]; }
    std::size_t routes() const { return counts_[2]; }
    std::size_t elements() const { return counts_[3]; }

    /// Gives `count` at most, those that have been refused for longest.
    std::vector<Refused> oldest(std::size_t count) const;

private:
    struct Entry {
        Refused refused;
        Time due;
        std::uint64_t since = 0;   // a number that counts up
        std::uint64_t wanted = 0;  // the last call of hold_back() in which it was
    };
    using Entries = std::map<ObjectKey, Entry>;

    void postpone(Entries::iterator entry, Time due);
    Entries::iterator forget(Entries::iterator entry);
    void forget_unwanted(const ObjectKey& key);
    bool waits(const netlink::Change& change, Time now) const;

    Entries entries_;
    std::set<std::pair<Time, const ObjectKey*>> by_due_;
    std::map<std::uint64_t, const Entry*> by_age_;
    std::array<std::size_t, 4> counts_{};  // virtual servers, real servers, routes, elements
    std::uint64_t last_since_ = 0;
    std::uint64_t round_ = 0;
    std::uint64_t version_ = 0;
};

/// A sentence for each of the oldest ten with object, reason and remedy, and one for how many there are beside them:
/// the same until there are twice as many.
std::vector<api::Problem> problems_of(const Refusals& refusals, const Desired& desired,
                                      const std::function<api::Origin(const api::ObjectName&)>& origin_of);

}  // namespace proxy
