// What every source of objects (a manifest folder, an API server) delivers: transactions of changes.
#pragma once

#include "api/objects/types.hpp"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace api {

/// A place where an object was read, for messages. `line` is 1-based; 0: unknown.
struct Origin {
    std::string file;
    int line = 0;
    bool operator==(const Origin&) const = default;
};

/// Something that is wrong with the input. The last good version of the object, if any, stays in force.
struct Problem {
    Origin origin;
    std::string object;    ///< "Service shop/web"; empty when the file itself cannot be read or parsed
    std::string message;   ///< "spec.ports[1].port: 70000 is not a port (1..65535)"
    bool warning = false;  ///< true: the object is used all the same
    bool operator==(const Problem&) const = default;
};

/// "file:line: Service shop/web: spec.ports[1].port: 70000 is not a port (1..65535)"
std::string to_string(const Problem& problem);

struct Upsert {
    Object object;
    Origin origin;
};

struct Removal {
    Kind kind = Kind::service;
    ObjectName name;
    auto operator<=>(const Removal&) const = default;
};

struct HashRemoval {
    std::size_t operator()(const Removal& removal) const {
        const std::hash<std::string> hash;
        return (hash(removal.name.name) * 31 + hash(removal.name.space)) * 31 + static_cast<std::size_t>(removal.kind);
    }
};

/// Changes that are applied together. Upserts of objects equal to the version in force are left out.
struct Transaction {
    std::vector<Upsert> upserts;
    std::vector<Removal> removals;
    /// Every problem that exists in the source after this transaction (not only new ones).
    std::vector<Problem> problems;
    /// They are those of the last transaction: `problems` is empty then.
    bool same_problems = false;
    /// True for the first transaction: the complete initial state.
    bool initial = false;
};

/// Whether an object of that kind comes or goes.
inline bool concerns(const Transaction& transaction, Kind kind) {
    const auto is_meant = [&](const Upsert& upsert) { return static_cast<Kind>(upsert.object.index()) == kind; };
    return std::any_of(transaction.upserts.begin(), transaction.upserts.end(), is_meant) ||
           std::any_of(transaction.removals.begin(), transaction.removals.end(),
                       [&](const Removal& removal) { return removal.kind == kind; });
}

using OnTransaction = std::function<void(Transaction)>;

/// How far what a source has delivered can be relied on now.
struct Condition {
    /// Seconds since something was last heard about each resource, by its name; 0 while it is watched. A source that
    /// cannot fall behind names none.
    std::map<std::string, double> staleness;
    std::size_t held = 0;           ///< removals that are not believed yet
    std::vector<Problem> ailments;  ///< what keeps it from being up to date; the source has logged them itself
};

class Source {
public:
    virtual ~Source() = default;

    /// Delivers first everything there is (Transaction::initial), as soon as it is complete, then what changes. Ends
    /// only with the event loop. The source and what `deliver` refers to must outlive it.
    virtual boost::asio::awaitable<void> run(OnTransaction deliver) = 0;

    /// Names what the objects come from: a folder, or "https://10.0.0.1:6443".
    virtual std::string name() const = 0;

    /// What the first transaction waits for, in words.
    virtual std::string waiting_for() const = 0;

    /// The objects are those of a cluster: its controllers have given Services their addresses and have resolved
    /// selectors into slices, and a Node object says what this node is. Else all of that is left to podferry.
    virtual bool of_cluster() const { return false; }

    /// Services and EndpointSlices are up to date, as far as can be told.
    virtual bool is_current() const { return true; }

    virtual Condition condition() const { return {}; }

    /// All objects of that kind have been delivered, or there can be none.
    virtual bool knows(Kind) const { return true; }
};

}  // namespace api
