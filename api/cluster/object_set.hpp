// What is known of one resource: turns lists and events into changes, keeps the reasons of what cannot be used, and
// holds back removals that look like a broken server rather than like somebody's wish. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/cluster/wire.hpp"
#include "api/objects/source.hpp"

namespace api {

class ObjectSet {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// A list that lacks more than half of more than this many objects is not believed at once.
    static constexpr std::size_t few = 10;

    /// `hold`: how long such removals are held back; 0: not at all.
    ObjectSet(Kind kind, std::string resource, std::chrono::milliseconds hold)
        : kind_(kind), resource_(std::move(resource)), hold_(hold) {}

    /// Everything there is. What it lacks is removed, unless that is held back.
    void list(std::vector<WireObject> objects, Time now, Transaction& changes);
    void events(std::vector<WatchEvent> events, Transaction& changes);

    /// When removals that are held back are due; nothing: none are.
    std::optional<Time> due() const { return due_; }
    /// Obeys them, once they are due.
    void release(Time now, Transaction& changes);
    std::size_t held() const { return held_; }

    /// Another number when add_problems() adds others than before.
    std::uint64_t problems_version() const { return 2 * problems_version_ + (held_ > 0 ? 1 : 0); }
    /// Why objects cannot be used, or are used with a reservation, of each object the first few; and what is held back.
    void add_problems(std::vector<Problem>& problems) const;

    std::size_t size() const { return known_.size(); }

private:
    struct Known {
        std::string version;
        bool in_force = false;
        bool held = false;       // the server says that it is gone
        std::uint32_t list = 0;  // the last one that had it
    };

    static constexpr std::size_t most_told = 10;  // mistakes of an object

    void put(WireObject object, Transaction& changes);
    void note_problems(const WireObject& object);
    void remove(const ObjectName& name, Transaction& changes);

    Kind kind_;
    std::string resource_;
    std::chrono::milliseconds hold_;
    std::map<ObjectName, Known> known_;
    std::map<ObjectName, std::vector<Problem>> problems_;
    std::uint64_t problems_version_ = 0;
    std::uint32_t lists_ = 0;
    std::size_t held_ = 0;
    std::optional<Time> due_;
};

}  // namespace api
