// What the source says, as it counts: gives Services their ClusterIPs and node ports or refuses them, and stores what
// is in force. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/objects/source.hpp"
#include "api/objects/store.hpp"
#include "proxy/config/config.hpp"
#include "proxy/plan/allocate.hpp"

namespace proxy {

class Intake {
public:
    /// A Service that is refused, until what it asks for is free.
    struct Waiting {
        api::Upsert upsert;
        std::string message;
    };

    /// `remembered`: what was allocated before. `addresses_given`: Services come with their ClusterIPs and node ports,
    /// because an API server has allocated them.
    Intake(const Config& config, Choices remembered, bool addresses_given);

    /// Allocates, refuses double use, and stores the rest. Services that it affects.
    api::Affected apply(api::Transaction transaction);

    const api::Store& store() const { return store_; }
    const Allocator& allocator() const { return allocator_; }
    /// How many have been applied.
    std::uint64_t transactions() const { return transactions_; }
    /// The place where a Service was read; nothing when it is unknown.
    api::Origin origin_of(const api::ObjectName& service) const;
    /// Services that are refused now.
    const std::map<api::ObjectName, Waiting>& waiting() const { return waiting_; }
    /// What the source finds wrong now.
    const std::vector<api::Problem>& source_problems() const { return source_problems_; }

private:
    void release(const std::vector<api::Removal>& removals);
    std::vector<api::Upsert> allocate(std::vector<api::Upsert> upserts);
    bool admit(api::Upsert& upsert);
    void note_origin(const api::Upsert& upsert);
    void retry_waiting(std::vector<api::Upsert>& admitted);

    bool addresses_given_;
    Allocator allocator_;
    api::Store store_;
    std::map<api::ObjectName, Waiting> waiting_;
    std::map<api::ObjectName, api::Origin> origins_;  // of Services that have one
    std::vector<api::Problem> source_problems_;
    std::uint64_t transactions_ = 0;
};

}  // namespace proxy
