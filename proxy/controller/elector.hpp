// Who of several controllers leads: a Lease (coordination.k8s.io/v1), as client-go's leaderelection has it
// (tools/leaderelection/leaderelection.go of v0.37): a Lease that others hold is free once it has not changed for its
// own duration, by our clock; clocks of others are not compared. Pure: lease_keeper.hpp asks the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace proxy {

/// What the Lease says that we use.
struct LeaseRecord {
    std::string version;  ///< metadata.resourceVersion
    std::string holder;   ///< empty: nobody
    std::chrono::seconds duration{0};
    std::string acquired;  ///< RFC 3339, as it was written
    int transitions = 0;
    std::string reservations;  ///< the annotation (reservations.hpp)
    bool operator==(const LeaseRecord&) const = default;
};

struct LeaseTiming {
    std::chrono::milliseconds duration{15'000};
    std::chrono::milliseconds renew_deadline{10'000};
    std::chrono::milliseconds retry_period{2'000};
    double jitter_factor = 1.2;
};

class Elector {
public:
    using Time = std::chrono::steady_clock::time_point;

    enum class Step : std::uint8_t {
        wait,    ///< until next_moment()
        read,    ///< the Lease
        create,  ///< it: there is none
        write,   ///< that we hold it; on the condition that it still has the version of record()
        lost,    ///< we have led, and do no longer
    };

    Elector(std::string identity, LeaseTiming timing = {}) : identity_(std::move(identity)), timing_(timing) {}

    Step step(Time now) const;
    Time next_moment() const;

    /// The Lease says that; nullopt: there is none. `jitter`: 0 to 1.
    void note_read(const std::optional<LeaseRecord>& record, Time now, double jitter);
    /// Our write was sent then, and has become this record.
    void note_written(const LeaseRecord& record, Time sent);
    /// Somebody else has written it before, or it is gone.
    void note_conflict();
    /// The server has not answered, or not as it should: it is asked again, from the beginning.
    void note_failure(Time now, double jitter);
    /// Something is to be written now, not when it is time to.
    void hurry();

    bool leads() const { return leads_; }
    /// Until when we lead without another write.
    Time deadline() const { return renewed_ + timing_.renew_deadline; }
    const std::optional<LeaseRecord>& record() const { return record_; }
    const std::string& identity() const { return identity_; }
    const LeaseTiming& timing() const { return timing_; }
    /// Whoever held the Lease before, by what was read: whether taking it is a transition.
    bool is_taking() const { return !record_ || record_->holder != identity_; }

private:
    bool is_free(Time now) const;
    void wait_with_jitter(Time now, double jitter);

    std::string identity_;
    LeaseTiming timing_;
    std::optional<LeaseRecord> record_;
    bool known_ = false;  // what record_ says is what the server says, as far as we know
    Time observed_;       // when it was first seen so
    Time next_;           // not before then
    bool leads_ = false;
    bool lost_ = false;
    Time renewed_;
};

}  // namespace proxy
