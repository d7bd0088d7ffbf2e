// The Services of the cluster, as the watch and the answers to our own writes tell of them: the newer word counts,
// whichever way it has come. Pure.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "api/objects/balanced_service.hpp"

namespace proxy {

using BalancedServicePtr = std::shared_ptr<const api::BalancedService>;

/// Whether an object's resourceVersion is older than another one's. They are numbers that grow (KEP-5504); of others
/// nothing is older.
bool is_older(std::string_view version, std::string_view than);

class ServiceRoll {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// A list that lacks more than half of more than so many Services is not believed at once: their addresses would
    /// be given to others.
    static constexpr std::size_t few = 10;
    static constexpr std::chrono::minutes hold{5};

    /// Everything there is. Names those that have changed or are gone.
    std::vector<api::ObjectName> list(std::vector<BalancedServicePtr> services, Time now);
    /// A word of the watch. Whether anything has changed.
    bool put(BalancedServicePtr service);
    bool remove(const api::ObjectName& name) { return known_.erase(name) > 0; }
    /// The answer to a write or a question of ours; it may be older than what the watch has told meanwhile, and does
    /// not bring back what is gone. Whether anything has changed.
    bool note_answer(BalancedServicePtr service);

    /// nullptr: there is none.
    BalancedServicePtr find(const api::ObjectName& name) const;

    template <class Visit>
    void each(Visit visit) const {
        for (const auto& [name, known] : known_)
            visit(*known.service);
    }

    /// When removals that are held back are due.
    std::optional<Time> due() const { return due_; }
    /// Removes them, once they are due. Names them.
    std::vector<api::ObjectName> release(Time now);
    std::size_t held() const;

    std::size_t size() const { return known_.size(); }
    void clear();

private:
    struct Known {
        BalancedServicePtr service;
        bool by_answer = false;  // the watch has not told of it yet
        bool held = false;       // a list lacks it
        std::uint32_t list = 0;  // the last one that had it
    };

    std::map<api::ObjectName, Known> known_;
    std::uint32_t lists_ = 0;
    std::optional<Time> due_;
};

}  // namespace proxy
