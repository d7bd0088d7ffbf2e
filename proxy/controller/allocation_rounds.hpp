// The order of a leader's writes: no status is written before the Lease says which addresses it may get. Pure; what
// writes is the role, and the model of the tests.
#pragma once

#include <string>
#include <vector>

#include "proxy/controller/address_allocator.hpp"

namespace proxy {

class AllocationRounds {
public:
    /// So many statuses are written at a time.
    static constexpr std::size_t most_writes = 64;

    explicit AllocationRounds(AddressAllocator& allocator) : allocator_(allocator) {}

    /// Looks for what is to be written next.
    void plan(AddressAllocator::Time now) {
        if (allocator_.in_flight() >= most_writes)
            return;
        for (StatusWrite& write : allocator_.plan(now, most_writes - allocator_.in_flight()))
            (write.adds ? waiting_ : ready_).push_back(std::move(write));
    }

    /// Whether writes wait for the Lease.
    bool wants_lease() const { return !waiting_.empty() || !covered_.empty(); }

    /// The reservations for the Lease. Whatever waits goes on when they are there: lease_written().
    std::string lease_text() {
        covered_.insert(covered_.end(), std::make_move_iterator(waiting_.begin()),
                        std::make_move_iterator(waiting_.end()));
        waiting_.clear();
        return to_text(allocator_.reservations());
    }

    /// The Lease has what lease_text() gave last.
    void lease_written() {
        ready_.insert(ready_.end(), std::make_move_iterator(covered_.begin()), std::make_move_iterator(covered_.end()));
        covered_.clear();
    }

    /// Statuses that may be written now, each once; AddressAllocator::finish() is to hear of each.
    std::vector<StatusWrite> take_ready() { return std::exchange(ready_, {}); }
    bool has_ready() const { return !ready_.empty(); }

private:
    AddressAllocator& allocator_;
    std::vector<StatusWrite> waiting_;  // not in the Lease
    std::vector<StatusWrite> covered_;  // in the text that is being written into it
    std::vector<StatusWrite> ready_;
};

}  // namespace proxy
