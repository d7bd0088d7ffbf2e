#include "netlink/rules_in_kernel.hpp"

#include <utility>

#include "netlink/nft_table.hpp"
#include "netlink/set_messages.hpp"

namespace netlink {

RulesInKernel::RulesInKernel(RulesetParameters parameters)
    : parameters_(std::move(parameters)), ruleset_(made(false)) {}

Ruleset RulesInKernel::made(bool guards) const {
    if (guards)
        return make_ruleset(parameters_);
    RulesetParameters without = parameters_;
    without.service_networks.clear();
    return make_ruleset(without);
}

void RulesInKernel::make() {
    Ruleset wanted = made(guards_);
    follows_ = follows_ || wanted.version != ruleset_.version;
    ruleset_ = std::move(wanted);
}

void RulesInKernel::set_networks(RuleNetworks networks) {
    parameters_.pod_networks = std::move(networks.pods);
    parameters_.all_pod_networks = std::move(networks.all_pods);
    parameters_.service_networks = std::move(networks.services);
    parameters_.notes = std::move(networks.notes);
    make();
}

void RulesInKernel::guard_service_networks() {
    guards_ = true;
    make();
}

RulesInKernel::Put RulesInKernel::put(Socket& nft) {
    const bool followed = std::exchange(follows_, false);
    if (nft::is_in_place(nft, ruleset_))
        return Put::in_place;
    if (!guards_ && !parameters_.service_networks.empty()) {
        // Those of the one before us, whose Services are still in the sets.
        if (Ruleset guarding = made(true); nft::is_in_place(nft, guarding)) {
            guards_ = true;
            ruleset_ = std::move(guarding);
            return Put::in_place;
        }
    }
    nft::install(nft, ruleset_);
    return followed ? Put::followed : Put::replaced;
}

void RulesInKernel::count_passage(Socket& nft, bool on) {
    if (parameters_.count_passage == on)
        return;
    const bool in_place = nft::is_in_place(nft, ruleset_);
    parameters_.count_passage = on;
    ruleset_ = made(guards_);
    if (in_place)
        nft::install(nft, ruleset_);
}

Passage RulesInKernel::read_passage(Socket& nft) const {
    Passage passage;
    if (!parameters_.count_passage)
        return passage;
    auto answer = nft.dump(nft::get_rules());
    for_each_message(answer, [&](nlmsghdr* header) { nft::add_passage(header, passage); });
    return passage;
}

std::vector<std::string> read_notes(Socket& nft) {
    std::vector<std::string> notes;
    auto answer = nft.dump(nft::get_rules());
    for_each_message(answer, [&](nlmsghdr* header) {
        if (auto note = note_of(nft::parse_rule_comment(header)))
            notes.push_back(std::move(*note));
    });
    return notes;
}

}  // namespace netlink
