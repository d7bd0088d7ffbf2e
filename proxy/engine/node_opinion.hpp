// What this node's own checks say of the other ones, and whose endpoints may be taken out for it although the API says
// that they are ready, never the other way round. No I/O and no clock.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/objects/source.hpp"
#include "health/guard/ejections.hpp"
#include "health/guard/node_check.hpp"
#include "proxy/config/config.hpp"
#include "proxy/engine/node_roll.hpp"

namespace proxy {

/// Setting node_check_service; an empty name: none.
api::ObjectName node_service(const Config& config);

class NodeOpinion {
public:
    using Time = health::Time;

    explicit NodeOpinion(const Config& config);

    CheckMode mode() const { return mode_; }
    bool is_wanted() const { return mode_ != CheckMode::off; }

    /// Nodes come and go with the endpoints. `before`: what is in force before it.
    void apply(const api::Transaction& transaction, const api::Store& before);
    /// What its Node object says, of one that is unknown to the roll.
    void put(const std::string& node, const base::Address& address);
    /// Where nodes are to be checked, as NodeRoll has it.
    std::map<std::string, std::optional<base::Address>> exchange_changed();
    const NodeRoll& roll() const { return roll_; }

    /// It has that life now. `why`: of one that is suspect or dead; it is not to change while that lasts.
    void note(const std::string& node, health::NodeLife life, const std::string& why);
    /// Whether an API server answers that is not on one of these nodes; nullopt: that is not known.
    void note_api(std::optional<bool> answers) { api_answers_ = answers; }

    /// Decides whose endpoints are out (health/guard/ejections.hpp). Nodes for which that has changed.
    std::set<std::string> review(Time now);
    /// When that is due; nullopt: nothing changes with time.
    std::optional<Time> next() const { return ejections_.next(); }

    /// nullptr: that node is in, or nobody checks it.
    const health::Ejection* of(const std::string& node) const { return ejections_.of(node); }
    const health::Ejections& ejections() const { return ejections_; }
    /// How many are checked and have that life.
    std::size_t count(health::NodeLife life) const;
    /// Sentences about nodes that are dead, and about not believing it; at most a dozen.
    std::vector<std::string> problems() const;

private:
    struct Known {
        health::NodeLife life = health::NodeLife::unknown;
        std::string why;
    };

    void look_for_isolation();

    CheckMode mode_;
    NodeRoll roll_;
    std::map<std::string, Known> known_;  // those that are checked
    health::Ejections ejections_;
    std::optional<bool> api_answers_;
    bool isolated_ = false;
};

}  // namespace proxy
