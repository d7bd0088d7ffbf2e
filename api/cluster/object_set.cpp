#include "api/cluster/object_set.hpp"

#include <algorithm>

namespace api {

void ObjectSet::put(WireObject object, Transaction& changes) {
    Known& known = known_[object.name];
    known.list = lists_;
    if (known.held) {
        known.held = false;
        --held_;
    }
    if (known.version == object.version && !object.version.empty())
        return;
    known.version = object.version;
    note_problems(object);
    for (Object& one : object.objects) {
        known.in_force = true;
        changes.upserts.push_back({std::move(one), {}});
    }
}

void ObjectSet::note_problems(const WireObject& object) {
    if (problems_.erase(object.name) > 0 || !object.mistakes.empty())
        ++problems_version_;
    for (const Mistake& mistake : object.mistakes) {
        std::vector<Problem>& problems = problems_[object.name];
        if (problems.size() == most_told) {
            const std::size_t left = object.mistakes.size() - most_told;
            problems.push_back({{}, object.label, std::to_string(left) + " more mistakes", mistake.warning});
            return;
        }
        problems.push_back({{}, object.label, to_string(mistake), mistake.warning});
    }
}

void ObjectSet::remove(const ObjectName& name, Transaction& changes) {
    const auto known = known_.find(name);
    if (known == known_.end())
        return;
    if (known->second.in_force) {
        // Removals are applied before upserts: what came in the same breath must not outlive it.
        std::erase_if(changes.upserts, [&](const Upsert& upsert) {
            return upsert.object.index() == static_cast<std::size_t>(kind_) &&
                   std::visit([&](const auto& object) { return object.name == name; }, upsert.object);
        });
        changes.removals.push_back({kind_, name});
    }
    held_ -= known->second.held ? 1 : 0;
    known_.erase(known);
    problems_version_ += problems_.erase(name);
}

void ObjectSet::list(std::vector<WireObject> objects, Time now, Transaction& changes) {
    const std::size_t before = known_.size();
    ++lists_;
    changes.upserts.reserve(changes.upserts.size() + objects.size());
    for (WireObject& object : objects)
        put(std::move(object), changes);
    std::vector<ObjectName> gone;
    for (const auto& [name, known] : known_)
        if (known.list != lists_)
            gone.push_back(name);
    const bool doubtful = hold_.count() > 0 && before > few && gone.size() > before / 2;
    for (const ObjectName& name : gone) {
        if (!doubtful) {
            remove(name, changes);
        } else if (Known& known = known_[name]; !known.held) {
            known.held = true;
            ++held_;
        }
    }
    if (held_ == 0)
        due_.reset();
    else if (!due_)
        due_ = now + hold_;
}

void ObjectSet::events(std::vector<WatchEvent> events, Transaction& changes) {
    for (WatchEvent& event : events) {
        if (event.type == EventType::deleted)
            remove(event.object.name, changes);
        else
            put(std::move(event.object), changes);
    }
    if (held_ == 0)
        due_.reset();
}

void ObjectSet::release(Time now, Transaction& changes) {
    if (!due_ || now < *due_)
        return;
    std::vector<ObjectName> held;
    for (const auto& [name, known] : known_)
        if (known.held)
            held.push_back(name);
    for (const ObjectName& name : held)
        remove(name, changes);
    due_.reset();
}

void ObjectSet::add_problems(std::vector<Problem>& problems) const {
    for (const auto& [name, own] : problems_)
        problems.insert(problems.end(), own.begin(), own.end());
    if (held_ > 0)
        problems.push_back(
            {{},
             resource_,
             "the API server's list suddenly lacks most of what was there; it stays in force for now "
             "(setting relist_hold), in case the server has lost its data. If it was deleted on purpose, "
             "nothing needs to be done",
             true});
}

}  // namespace api
