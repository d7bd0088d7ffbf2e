#include "proxy/engine/node_opinion.hpp"

#include <algorithm>

namespace proxy {
namespace {

using health::NodeLife;

constexpr std::size_t most_problems = 10;

/// A suspicion is taken back at once, unless the node flaps; one that was dead has answered twice by then.
health::EjectionRules rules() {
    health::EjectionRules rules;
    rules.first_hold = std::chrono::milliseconds{0};
    return rules;
}

health::Finding finding_of(NodeLife life) {
    switch (life) {
        case NodeLife::alive:
            return health::Finding::passes;
        case NodeLife::suspect:
            return health::Finding::failed;
        case NodeLife::dead:
            return health::Finding::dead;
        case NodeLife::unknown:
            break;
    }
    return health::Finding::unknown;
}

}  // namespace

api::ObjectName node_service(const Config& config) {
    const std::string& text = config.node_check_service;
    const auto slash = text.find('/');
    return slash == std::string::npos ? api::ObjectName{}
                                      : api::ObjectName{text.substr(0, slash), text.substr(slash + 1)};
}

NodeOpinion::NodeOpinion(const Config& config)
    : mode_(config.node_check), roll_(config.node_name, node_service(config)), ejections_(rules()) {}

void NodeOpinion::apply(const api::Transaction& transaction, const api::Store& before) {
    if (is_wanted())
        roll_.apply(transaction, before);
}

void NodeOpinion::put(const std::string& node, const base::Address& address) {
    roll_.put(node, address);
}

std::map<std::string, std::optional<base::Address>> NodeOpinion::exchange_changed() {
    auto changed = roll_.exchange_changed();
    for (const auto& [node, address] : changed) {
        if (address) {
            note(node, NodeLife::unknown, "");
            continue;
        }
        known_.erase(node);
        ejections_.remove(node);
    }
    return changed;
}

void NodeOpinion::note(const std::string& node, NodeLife life, const std::string& why) {
    if (!roll_.contains(node))  // it has gone meanwhile
        return;
    known_[node] = {life, why};
    ejections_.put(node, finding_of(life), why, node);
}

std::size_t NodeOpinion::count(NodeLife life) const {
    return static_cast<std::size_t>(
        std::count_if(known_.begin(), known_.end(), [&](const auto& entry) { return entry.second.life == life; }));
}

std::vector<std::string> NodeOpinion::problems() const {
    std::vector<std::string> problems;
    if (!ejections_.incident().empty())
        problems.push_back(ejections_.incident() +
                           ": this node may be cut off, so that no other one is taken for dead");
    const std::size_t dead = count(NodeLife::dead);
    for (const auto& [node, known] : known_) {
        if (known.life != NodeLife::dead)
            continue;
        if (problems.size() == most_problems) {
            problems.push_back(std::to_string(dead) + " nodes do not answer, of which some are named here");
            break;
        }
        problems.push_back(known.why + (mode_ == CheckMode::enforce
                                            ? ": its endpoints are out, as far as the guards allow"
                                            : ": that is only observed"));
    }
    return problems;
}

/// Where nobody answers any more, it is this node that is cut off. A single node that is silent is not nobody, unless
/// the API is silent too.
void NodeOpinion::look_for_isolation() {
    const std::size_t silent = count(NodeLife::suspect) + count(NodeLife::dead);
    const bool nobody = silent > 0 && count(NodeLife::alive) == 0;
    const bool isolated = nobody && (api_answers_ ? !*api_answers_ : silent > 1);
    if (isolated == isolated_)
        return;
    isolated_ = isolated;
    ejections_.note_control(isolated ? "the rest of the cluster" : "");
}

std::set<std::string> NodeOpinion::review(Time now) {
    look_for_isolation();
    return ejections_.review(now);
}

}  // namespace proxy
