// Says what the kernel side does next, and when: after the first complete objects, after a wish, a failure, damage, at
// the audit's hour. Pure: it does nothing itself, and `now` is passed in (kernel_side.hpp acts).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "proxy/sync/rounds.hpp"

namespace proxy {

/// What the kernel side can do.
enum class Act : std::uint8_t {
    wait,
    listen,          ///< to notifications of routes and nftables from now on, and look for earlier damage
    sweep,           ///< remove what is ours and not wanted
    follow_host,     ///< compare the host's addresses and families with those that plans know
    audit,           ///< read the kernel and find drift
    count_draining,  ///< count the connections of what drains
    sync,            ///< plan what is dirty, and give the kernel all that is wanted
};

/// "wait", "listen", ...
const char* word(Act act);

/// What others want to be done at a time of their own, as of now.
struct Dues {
    std::optional<Time> refused;     ///< the next refused change is tried again
    std::optional<Time> slow_start;  ///< the next step of a real server's weight
    std::optional<Time> opinions;    ///< what own checks may do to endpoints changes with time
    bool drains = false;             ///< something does, so its connections are counted
    bool source_is_current = true;   ///< the objects are up to date, as far as can be told
};

struct Next {
    Act act = Act::wait;
    std::optional<Time> until;  ///< of wait; nullopt: until somebody wakes
    bool operator==(const Next&) const = default;
};

/// So many are there, and so few are wanted, that whoever wants them may have lost their data. A few would not be worth
/// a doubt.
bool mostly_gone(std::size_t present, std::size_t wanted);

class KernelSchedule {
public:
    static constexpr std::chrono::milliseconds audit_pause{200};  ///< at least, before an audit that damage asks for
    static constexpr int calm_repairs = 20;  ///< so many audits in a row that find damage have that pause
    static constexpr std::chrono::seconds longest_pause{30};  ///< it doubles with each further one, up to this
    static constexpr std::chrono::seconds row_ends{5};  ///< damage that comes so long after the pause begins a new row
    static constexpr std::chrono::seconds sweep_retry{1};   ///< while the source is not up to date
    static constexpr std::chrono::seconds count_period{1};  ///< of connections of what drains

    explicit KernelSchedule(std::chrono::milliseconds audit_period) : audit_period_(audit_period) {}

    /// What to do at `now`. Call it again after each act, when that is done (with what the act has brought: audited(),
    /// listens(), synced() or failed()), and when the wait is over or somebody has woken.
    Next next(Time now, const Dues& dues);

    // ---- what happens --------------------------------------------------------------------------------------

    /// The first complete objects have been programmed, or could not be. Before that everything waits.
    void begin(Time now);
    /// Somebody wishes something of the kernel.
    void wake(Time now);
    /// A wish that has come since the last act; it is then counted as seen to.
    bool consume_wish();
    /// The kernel may have been damaged, or is not what we think.
    void want_audit() { audit_wanted_ = true; }
    /// Addresses of the host, or those or the zone of the Node object, may have changed.
    void note_addresses() { addresses_changed_ = true; }
    /// What is no longer wanted stays until then, and until the source is up to date.
    void hold_sweep(Time until) { sweep_at_ = until; }

    // ---- what has been done --------------------------------------------------------------------------------

    void listens() { listens_ = true; }
    /// `found_damage`: somebody else has changed what is ours. Who does so again and again is answered ever more
    /// seldom.
    void audited(Time now, bool found_damage = false);
    /// `all`: the kernel holds all that is wanted, or refuses the rest.
    void synced(bool all, Time now);
    /// The kernel cannot be spoken to: nobody knows what it has. An audit comes first, after a pause.
    void failed(std::string reason, Time now);

    // ---- what is said of it --------------------------------------------------------------------------------

    bool has_begun() const { return begun_; }
    bool is_failing() const { return rounds_.failed(); }
    bool holds_sweep() const { return sweep_at_.has_value(); }
    std::optional<std::string> problem() const { return rounds_.problem(); }
    /// Since when the oldest wish waits that the kernel has not been given.
    std::optional<Time> waiting_since() const { return waiting_since_; }

private:
    /// The place in a round; the acts of a round have this order.
    enum class Phase : std::uint8_t { rest, listen, sweep, follow_host, recover, count, sync, audit, sync_again };

    bool audit_is_due(Time now) const { return audit_wanted_ || now >= next_audit_ || rounds_.failed(); }
    std::optional<Time> rest_until(Time now, const Dues& dues) const;
    std::optional<Act> act_of(Phase phase, Time now, const Dues& dues);
    std::optional<Act> sweep_or_hold(Time now, const Dues& dues);
    std::optional<Act> audit_or_pause(Time now);
    Act begin_audit();
    std::chrono::milliseconds pause_before_audit() const;

    std::chrono::milliseconds audit_period_;
    Rounds rounds_;
    Phase phase_ = Phase::rest;
    bool begun_ = false;
    bool woken_ = false;
    bool listens_ = false;
    bool audit_wanted_ = false;
    bool addresses_changed_ = false;
    std::optional<Time> sweep_at_;
    Time next_audit_;
    Time last_audit_;
    Time next_count_;
    int repairs_in_row_ = 0;
    std::optional<Time> waiting_since_;
};

}  // namespace proxy
