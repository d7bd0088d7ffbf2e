// Brings the kernel to what is desired: keeps a mirror of what is ours in the kernel, applies differences in batches,
// retries what was refused, and audits. No clock, no event loop: `now` is passed in, so tests need neither.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "netlink/kernel.hpp"
#include "proxy/engine/refusals.hpp"
#include "proxy/engine/sweep.hpp"
#include "proxy/engine/wish_list.hpp"
#include "proxy/plan/mirror.hpp"

namespace proxy {

inline double seconds_since(Time start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct StepResult {
    std::size_t handled = 0;  ///< changes that the kernel has accepted or refused; 0: there were none
    std::size_t applied = 0;  ///< accepted, or not needed: what was to be removed was not there
    /// The index is the change's place in netlink::Change.
    std::array<std::size_t, std::variant_size_v<netlink::Change>> applied_by_operation{};
    /// It has none that go with a virtual server's own refusal: its real servers.
    std::vector<Refused> refused;
    bool audit_wanted = false;  ///< our picture of the kernel was wrong
};

/// Differences that an audit found: what somebody else changed in the kernel. Not what a failed step() may have done.
struct Drift {
    std::size_t virtual_servers = 0;
    std::size_t real_servers = 0;
    std::size_t routes = 0;
    std::size_t elements = 0;
    std::size_t total() const { return virtual_servers + real_servers + routes + elements; }
};

/// Leaves out what the kernel does by itself when the host's addresses or address families change: it drops routes
/// whose source address goes (fib_sync_down_addr()), and all of IPv6 where that is switched off (addrconf_ifdown()).
Drift without_followed(Drift found, bool host_changed);

class Reconciler {
public:
    Reconciler(netlink::Kernel& kernel, WishList& wishes) : kernel_(kernel), wishes_(wishes) {}

    /// Reads the kernel as it is. Call before the first plan. Throws std::system_error.
    void adopt();

    /// Forgets, after the first plan, what is neither wanted nor recorded as ours: it is foreign.
    void disown_foreign();

    /// Ends the adoption, after disown_foreign(): what is ours and not wanted will be removed by the next steps. Until
    /// then nothing is removed, or loses its weight, but real servers of virtual servers that keep others with a
    /// weight: what the source says may be the word of an API server that has lost its data.
    void sweep();

    /// Real servers with a weight that the kernel has, and how many of its virtual servers' are wanted.
    std::size_t real_servers_present() const;
    std::size_t real_servers_wanted() const;

    /// Compares one slice of what is touched, and applies at most `limit` changes (none, when there are very many: then
    /// the next step does); `each`, when given, is told every one that the
    /// kernel accepted. Throws std::system_error when the kernel cannot be spoken to: then nothing is lost, but it is
    /// not known what the kernel has accepted, and an audit comes before the next step.
    StepResult step(Time now, std::size_t limit, const std::function<void(const netlink::Change&)>& each = {});

    /// When the next refused change is due; nullopt when there is none.
    std::optional<Time> next_retry() const { return refusals_.next(); }
    /// Everything that was refused is tried again by the next step: what was in its way may be gone.
    void retry_all(Time now) { refusals_.retry_all(now); }
    const Refusals& refusals() const { return refusals_; }
    /// Nothing is left but what the kernel refuses, which is tried again now and then. Until then there are more steps,
    /// also after one that had nothing to change.
    bool idle() const { return pending_.empty() && touched_.empty() && !sweep_ && !wishes_.has_touched(); }
    /// The kernel refuses more virtual servers, routes or elements than it holds of them: not a single object is to
    /// blame.
    bool mostly_refused() const {
        return refusals_.virtual_servers() > mirror_.virtual_servers.size() ||
               refusals_.routes() > mirror_.routes.size() || refusals_.elements() > mirror_.elements.size();
    }
    std::size_t changes_pending() const {
        return pending_.size() - cursor_ + refusals_.size() + touched_.size() + wishes_.touched_count();
    }

    /// An audit, in slices between which there may be steps: after begin_audit() audit_part() reads and compares a part
    /// of the kernel after the other, and returns false when all have been; audit_slice() does the same, then the real
    /// servers of the next `count` virtual servers, and returns false when it was the last slice. What differs is
    /// touched, so that the next steps repair it. The kernel's listing is read first, which confirms nearly
    /// all real servers; the others are asked for one by one.
    Drift begin_audit();
    bool audit_part(Drift& drift);
    bool audit_slice(std::size_t count, Drift& drift);

    /// What of ours is in the kernel.
    const Mirror& mirror() const { return mirror_; }

private:
    /// What has been done of the audit that is under way.
    struct Audit {
        std::size_t part = 0;                           // the next one
        bool listed = false;                            // the listing has been asked for
        std::unique_ptr<netlink::Listing> listing;      // until it has been read
        std::vector<netlink::VirtualServer> confirmed;  // by it
        std::optional<netlink::VirtualServer> last;     // of the others, in the last slice
    };

    void collect(Time now);
    bool confirm_slice(std::size_t count);
    bool is_withheld(const netlink::Change& change) const;
    bool is_for_nothing(const netlink::Change& change) const;
    void settle(const netlink::Change& change, const std::error_code& error, Time now, StepResult& result);
    void put_back(std::size_t tried);
    bool is_unsure(const ObjectKey& key) const { return !unsure_.empty() && unsure_.contains(key); }
    std::size_t count_drift(const netlink::VirtualServer& server, const netlink::RealServers& known,
                            const netlink::RealServers& actual) const;

    netlink::Kernel& kernel_;
    WishList& wishes_;
    Mirror mirror_;
    Touched touched_;
    std::vector<netlink::Change> pending_;
    std::size_t cursor_ = 0;
    Refusals refusals_;
    std::set<ObjectKey> unsure_;  // what a failed step may have changed, until an audit has looked
    bool swept_ = true;           // false from adopt() on
    std::optional<Sweep> sweep_;  // while it is under way
    Audit audit_;
};

/// Those of `state` that are ours by what the kernel itself records: an address with our route, an element of
/// `served`, a mark of `mark`, or a recorded node port on a recorded node address (docs/architecture.md, ownership).
bool recorded_as_ours(const netlink::VirtualServer& server, const netlink::KernelState& state);

}  // namespace proxy
