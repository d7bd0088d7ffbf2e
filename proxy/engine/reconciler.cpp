#include "proxy/engine/reconciler.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "proxy/engine/audit.hpp"
#include "proxy/engine/turns.hpp"

namespace proxy {
namespace {

using namespace std::chrono_literals;
using netlink::Change;
using netlink::Element;
using netlink::LocalRoute;
using netlink::VirtualServer;

/// Elements that differ between two ordered sets, each reported once.
template <class Set, class Report>
void for_each_difference(const Set& a, const Set& b, Report report) {
    auto left = a.begin();
    auto right = b.begin();
    while (left != a.end() || right != b.end()) {
        if (right == b.end() || (left != a.end() && *left < *right))
            report(*left++);
        else if (left == a.end() || *right < *left)
            report(*right++);
        else
            ++left, ++right;
    }
}

/// Elements that come and go together: where some are withdrawn, and where a front end is opened to some sources only
/// or to a mark.
bool is_exchanged(const Change& change) {
    const auto* added = std::get_if<netlink::AddElement>(&change);
    return added != nullptr && (added->element.set == netlink::Set::firewalled ||
                                added->element.set == netlink::Set::allowed || is_map(added->element.set));
}

/// Takes `limit` at most, but what comes and goes together is not torn apart. Withdrawn elements are the first changes,
/// and those added are in the order of their sets.
std::size_t size_of_batch(std::span<const Change> pending, std::size_t limit) {
    std::size_t size = std::min(limit, pending.size());
    if (size == 0 || size == pending.size())
        return size;
    const bool withdrawn = std::holds_alternative<netlink::WithdrawElement>(pending.front());
    const auto is_element = [](const Change& change) {
        return std::holds_alternative<netlink::WithdrawElement>(change) ||
               std::holds_alternative<netlink::AddElement>(change);
    };
    const auto belongs = [&](std::size_t at) {
        return withdrawn ? is_element(pending[at]) : is_exchanged(pending[at]) && is_exchanged(pending[at - 1]);
    };
    while (size < pending.size() && belongs(size))
        ++size;
    return size;
}

std::size_t with_weight(const netlink::RealServers& reals) {
    return static_cast<std::size_t>(
        std::count_if(reals.begin(), reals.end(), [](const auto& real) { return real.second > 0; }));
}

}  // namespace

bool recorded_as_ours(const VirtualServer& server, const netlink::KernelState& state) {
    if (server.mark != 0)
        return state.elements.contains({netlink::Set::mark, {}, netlink::Protocol::none, 0, server.mark});
    if (state.routes.contains({server.address}))
        return true;
    if (state.elements.contains({netlink::Set::served, server.address, server.protocol, server.port}))
        return true;
    return state.elements.contains({netlink::Set::node_address, server.address, netlink::Protocol::none, 0}) &&
           (state.elements.contains({netlink::Set::node_port, {}, server.protocol, server.port}) ||
            state.elements.contains({netlink::Set::node_port_local, {}, server.protocol, server.port}));
}

void Reconciler::adopt() {
    swept_ = false;
    mirror_ = Mirror(kernel_.read());
    std::vector<VirtualServer> servers;
    servers.reserve(mirror_.virtual_servers.size());
    for (const auto& [server, state] : mirror_.virtual_servers)
        servers.push_back(server);
    std::vector<netlink::RealServers> reals = kernel_.read_real_servers(servers);
    for (std::size_t i = 0; i < servers.size(); ++i)
        mirror_.virtual_servers[servers[i]].real_servers = std::move(reals[i]);
}

void Reconciler::disown_foreign() {
    std::erase_if(mirror_.virtual_servers, [&](const auto& entry) {
        return wishes_.find(entry.first) == nullptr && !recorded_as_ours(entry.first, mirror_);
    });
}

void Reconciler::sweep() {
    swept_ = true;
    sweep_.emplace();  // what is wanted has been touched by the first plan
}

void Reconciler::collect(Time now) {
    touched_.add(wishes_.exchange_touched());
    if (!wishes_.has_touched())  // with the last slice
        refusals_.touch_due(now, touched_);
    if (sweep_) {
        if (auto slice = sweep_->next(wishes_, mirror_, turns::batch_size))
            touched_.add(std::move(*slice));
        else
            sweep_.reset();
    }
    touched_.tidy();
    pending_ = changes_for(touched_, wishes_, mirror_);
    refusals_.hold_back(touched_, pending_, now);
    if (!swept_)
        std::erase_if(pending_, [this](const Change& change) { return is_withheld(change); });
    cursor_ = 0;
    touched_ = {};
}

bool Reconciler::is_withheld(const Change& change) const {
    const auto keeps_none = [this](const VirtualServer& server) {
        const auto* wanted = wishes_.find(server);
        return wanted == nullptr || with_weight(wanted->real_servers) == 0;
    };
    if (const auto* real = std::get_if<netlink::DeleteRealServer>(&change))
        return keeps_none(real->server);
    if (const auto* real = std::get_if<netlink::EditRealServer>(&change))
        return real->weight == 0 && keeps_none(real->server);
    return netlink::is_removal(change);
}

std::size_t Reconciler::real_servers_present() const {
    std::size_t count = 0;
    for (const auto& [server, state] : mirror_.virtual_servers)
        count += with_weight(state.real_servers);
    return count;
}

std::size_t Reconciler::real_servers_wanted() const {
    std::size_t count = 0;
    for (const auto& [server, state] : mirror_.virtual_servers)
        if (const auto* wanted = wishes_.find(server))
            count += with_weight(wanted->real_servers);
    return count;
}

/// A real server's, whose virtual server has just been refused.
bool Reconciler::is_for_nothing(const Change& change) const {
    return std::visit(
        [this](const auto& c) {
            if constexpr (requires { c.real; })
                return !mirror_.virtual_servers.contains(c.server);
            else
                return false;
        },
        change);
}

void Reconciler::settle(const Change& change, const std::error_code& error, Time now, StepResult& result) {
    if (is_gone_already(change, error)) {
        netlink::advance(mirror_, change);
        refusals_.note_applied(change);
        ++result.applied;
        result.audit_wanted = true;
        return;
    }
    if (is_for_nothing(change))
        return;
    result.refused.push_back({change, error, refusals_.note(change, error, now)});
    result.audit_wanted = result.audit_wanted || doubts_the_mirror(result.refused.back());
}

/// It is not known which of the first `tried` pending changes the kernel has accepted.
void Reconciler::put_back(std::size_t tried) {
    const auto pending = std::span(pending_).subspan(cursor_);
    for (std::size_t i = 0; i < pending.size(); ++i) {
        const ObjectKey key = key_of(pending[i]);
        touch(key, touched_);
        if (i < tried)
            unsure_.insert(key);
    }
    pending_ = {};
    cursor_ = 0;
}

StepResult Reconciler::step(Time now, std::size_t limit, const std::function<void(const Change&)>& each) {
    StepResult result;
    if (cursor_ == pending_.size()) {
        collect(now);
        if (pending_.size() > std::max(limit, turns::batch_size))
            return result;  // enough for one turn
    }
    const std::span<const Change> batch =
        std::span(pending_).subspan(cursor_, size_of_batch(std::span(pending_).subspan(cursor_), limit));
    if (batch.empty())
        return result;
    std::vector<netlink::Refusal> refusals;
    try {
        refusals = kernel_.apply(batch);
    } catch (...) {
        put_back(batch.size());
        throw;
    }
    result.handled = batch.size();
    std::vector<bool> is_refused(batch.size(), false);
    for (const netlink::Refusal& refusal : refusals)
        is_refused[refusal.index] = true;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (is_refused[i])
            continue;
        netlink::advance(mirror_, batch[i]);
        refusals_.note_applied(batch[i]);
        ++result.applied;
        ++result.applied_by_operation[batch[i].index()];
        if (each)
            each(batch[i]);
    }
    for (const netlink::Refusal& refusal : refusals)
        settle(batch[refusal.index], refusal.error, now, result);
    cursor_ += batch.size();
    if (cursor_ == pending_.size()) {
        pending_ = {};
        cursor_ = 0;
    }
    return result;
}

Drift without_followed(Drift found, bool host_changed) {
    if (host_changed)
        found.routes = 0;
    return found;
}

/// Real servers that differ, but for those that a failed step may have changed.
std::size_t Reconciler::count_drift(const VirtualServer& server, const netlink::RealServers& known,
                                    const netlink::RealServers& actual) const {
    std::size_t count = 0;
    for_each_difference(known, actual,
                        [&](const auto& entry) { count += is_unsure(ServerKey{server, entry.first}) ? 0 : 1; });
    return count;
}

Drift Reconciler::begin_audit() {
    audit_ = Audit{};
    return {};
}

/// One part of the kernel; false: all have been compared.
bool Reconciler::audit_part(Drift& drift) {
    static const std::vector<netlink::Part> parts = netlink::all_parts();
    if (audit_.part == parts.size())
        return false;
    const netlink::Part& part = parts[audit_.part++];
    netlink::KernelState actual;
    kernel_.read_part(part, actual);
    const Touched found = follow(mirror_, part, actual, [this](const VirtualServer& server) {
        return wishes_.find(server) != nullptr || recorded_as_ours(server, mirror_);
    });
    for (const VirtualServer& server : found.virtual_servers)
        drift.virtual_servers += is_unsure(ServerKey{server, {}}) ? 0 : 1;
    for (const LocalRoute& route : found.routes)
        drift.routes += is_unsure(route) ? 0 : 1;
    for (const Element& element : found.elements)
        drift.elements += is_unsure(element) ? 0 : 1;
    touched_.add(found);
    return true;
}

/// False: the listing has been read to its end.
bool Reconciler::confirm_slice(std::size_t count) {
    const std::vector<netlink::ListedServer> listed = audit_.listing->next(count);
    for (const netlink::ListedServer& each : listed) {
        const netlink::RealServers* known = mirror_.real_servers(each.server);
        if (known != nullptr && *known == each.real_servers)
            audit_.confirmed.push_back(each.server);
    }
    if (!listed.empty())
        return true;
    audit_.listing.reset();
    std::sort(audit_.confirmed.begin(), audit_.confirmed.end());
    return false;
}

bool Reconciler::audit_slice(std::size_t count, Drift& drift) {
    if (audit_part(drift))
        return true;
    if (!std::exchange(audit_.listed, true))
        audit_.listing = kernel_.list();
    if (audit_.listing && confirm_slice(count))
        return true;
    auto next = audit_.last ? mirror_.virtual_servers.upper_bound(*audit_.last) : mirror_.virtual_servers.begin();
    std::vector<VirtualServer> servers;
    for (; next != mirror_.virtual_servers.end() && servers.size() < count; ++next)
        if (!std::binary_search(audit_.confirmed.begin(), audit_.confirmed.end(), next->first))
            servers.push_back(next->first);
    if (servers.empty()) {
        audit_.confirmed = {};
        unsure_.clear();
        return false;
    }
    const std::vector<netlink::RealServers> reals = kernel_.read_real_servers(servers);
    for (std::size_t i = 0; i < servers.size(); ++i) {
        netlink::RealServers& known = mirror_.virtual_servers[servers[i]].real_servers;
        if (known == reals[i])
            continue;
        drift.real_servers += count_drift(servers[i], known, reals[i]);
        known = reals[i];
        touched_.virtual_servers.push_back(servers[i]);
    }
    audit_.last = servers.back();
    return true;
}

}  // namespace proxy
