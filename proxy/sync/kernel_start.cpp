#include "proxy/sync/kernel_start.hpp"

#include <stdexcept>
#include <string>

#include "proxy/log/log.hpp"

namespace proxy {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto fresh_enough = 1s;  // for what was read of the kernel

}  // namespace

void KernelStart::open(KernelRole& role) {
    const auto prepared = parts_.upkeep.prepare();
    for (const auto* things : {&prepared.done, &prepared.followed})
        for (const std::string& thing : *things)
            log::info("put in place", {{"what", thing}});
    role.problems_changed();
    if (!prepared.complete)
        throw std::runtime_error("podferry cannot begin without its device and its table of nftables");
    adopt();
}

void KernelStart::adopt() {
    parts_.kernel.exchange_connections_seen();
    parts_.reconciler.adopt();
    parts_.upkeep.count_connections();
    adopted_ = Clock::now();
    adopted_something_ = !parts_.reconciler.mirror().routes.empty();
}

void KernelStart::refresh() {
    if (Clock::now() > adopted_ + fresh_enough)
        adopt();
}

void KernelStart::plan_the_needed() {
    parts_.engine.plan_dirty(parts_.reconciler.mirror(), is_needed_first);
}

void KernelStart::plan_the_rest(bool may_have_lost_data) {
    parts_.engine.plan_dirty(parts_.reconciler.mirror());
    sweep_or_hold(may_have_lost_data);
}

void KernelStart::sweep_or_hold(bool may_have_lost_data) {
    Reconciler& reconciler = parts_.reconciler;
    reconciler.disown_foreign();
    const bool doubtful = mostly_gone(reconciler.mirror().virtual_servers.size(),
                                      parts_.engine.desired().wishes().virtual_servers().size()) ||
                          mostly_gone(reconciler.real_servers_present(), reconciler.real_servers_wanted());
    const auto hold = parts_.config.relist_hold;
    if (may_have_lost_data && hold.count() > 0 && doubtful)
        parts_.schedule.hold_sweep(Clock::now() + hold);
    else
        reconciler.sweep();
}

}  // namespace proxy
