#include "proxy/sync/flow_cleaner.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/error_words.hpp"
#include "base/rethrow.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/log/log.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds shortest_pause = 200ms;
constexpr std::chrono::milliseconds longest_pause = 10s;
constexpr int looks = 3;

std::size_t remove_udp(netlink::Conntrack& table, const UdpFrontEnds& front_ends, bool ipv6) {
    return remove_stale({[&](const auto& visit) { return table.each_udp(ipv6, visit); },
                         [&](auto flows) { return table.remove(flows); }},
                        [&](const netlink::Flow& flow) { return front_ends.is_stale(flow); });
}

std::size_t remove_early(netlink::Conntrack& table, const EarlyClients& early, netlink::Protocol protocol, bool ipv6) {
    return remove_stale({[&](const auto& visit) { return table.each_unanswered(protocol, ipv6, visit); },
                         [&](auto flows) { return table.remove(not_carried(flows, netlink::ipvs::each_connection)); }},
                        [&](const netlink::Flow& flow) { return early.is_stale(flow); });
}

}  // namespace

std::chrono::milliseconds pause_after(Clock::duration took) {
    return std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(9 * took), shortest_pause, longest_pause);
}

std::size_t remove_stale(const FlowTable& table, const std::function<bool(const netlink::Flow&)>& is_stale) {
    std::size_t removed = 0;
    bool whole = false;
    for (int look = 0; look < looks && !whole; ++look) {
        std::vector<netlink::Flow> stale;
        whole = table.each([&](const netlink::Flow& flow) {
            if (is_stale(flow))
                stale.push_back(flow);
        });
        removed += table.remove(stale);
    }
    return removed;
}

void FlowCleaner::note(const netlink::Change& change, const netlink::KernelState& mirror) {
    if (const auto* added = std::get_if<netlink::AddVirtualServer>(&change))
        if (may_have_early_clients(added->server))
            fresh_.push_back(added->server);
    if (!may_leave_stale_flows(change, mirror))
        return;
    std::visit(
        [this](const auto& c) {
            if constexpr (requires { c.server; })
                changed_.insert(c.server);
        },
        change);
}

void FlowCleaner::note_all(const netlink::KernelState& mirror) {
    fresh_.clear();
    for (const auto& [server, state] : mirror.virtual_servers)
        if (server.protocol == netlink::Protocol::udp)  // a Service with UDP has one, whatever else it has
            changed_.insert(server);
        else if (may_have_early_clients(server))
            fresh_.push_back(server);
}

void FlowCleaner::kick() {
    if (nothing_is_noted() || running_)
        return;
    running_ = true;
    asio::co_spawn(context_, clean_until_nothing_is_noted(), base::rethrow);
}

asio::awaitable<void> FlowCleaner::clean_until_nothing_is_noted() {
    while (!nothing_is_noted()) {
        timer_.expires_at(next_);
        co_await timer_.async_wait(asio::use_awaitable);
        auto changed = std::exchange(changed_, {});
        const auto fresh = std::exchange(fresh_, {});
        const auto all = co_await on_pool({UdpFrontEnds(desired_, changed), EarlyClients(fresh)});
        if (account(all))
            continue;
        changed_.merge(changed);  // once more
        fresh_.insert(fresh_.end(), fresh.begin(), fresh.end());
        next_ = Clock::now() + longest_pause;
    }
    running_ = false;
}

asio::awaitable<std::vector<FlowCleaner::Cleaned>> FlowCleaner::on_pool(Work work) {
    const auto task = [](FlowCleaner* self, Work given) -> asio::awaitable<std::vector<Cleaned>> {
        co_return self->clean(given);
    };
    co_return co_await asio::co_spawn(pool_, task(this, std::move(work)), asio::use_awaitable);
}

std::vector<FlowCleaner::Cleaned> FlowCleaner::clean(const Work& work) {
    using netlink::Conntrack;
    using netlink::Protocol;
    std::vector<Cleaned> all;
    for (const bool ipv6 : {false, true})
        for (const Protocol protocol : {Protocol::tcp, Protocol::sctp})
            if (work.early.has(protocol, ipv6))
                all.push_back(clean_with(ipv6, "of clients that came before their front end", [&](Conntrack& table) {
                    return remove_early(table, work.early, protocol, ipv6);
                }));
    for (const bool ipv6 : {false, true})
        if (work.changed.has(ipv6))
            all.push_back(clean_with(ipv6, "of UDP whose answers come from nobody who serves",
                                     [&](Conntrack& table) { return remove_udp(table, work.changed, ipv6); }));
    return all;
}

FlowCleaner::Cleaned FlowCleaner::clean_with(bool ipv6, const char* what,
                                             const std::function<std::size_t(netlink::Conntrack&)>& remove) {
    Cleaned result{ipv6, what, 0, {}, {}};
    const Time start = Clock::now();
    try {
        if (!conntrack_)
            conntrack_ = std::make_unique<netlink::Conntrack>();
        result.deleted = remove(*conntrack_);
    } catch (const std::exception& error) {
        conntrack_.reset();  // answers to what failed may still come
        result.error = base::words_of(error);
    }
    result.took = Clock::now() - start;
    return result;
}

/// False when it failed.
bool FlowCleaner::account(const std::vector<Cleaned>& all) {
    std::string error;
    Clock::duration took{};
    for (const Cleaned& cleaned : all) {
        const std::string family = cleaned.ipv6 ? "IPv6" : "IPv4";
        metrics_.conntrack_seconds.Add({{"ip_family", family}}, time_buckets())
            .Observe(std::chrono::duration<double>(cleaned.took).count());
        metrics_.conntrack_deleted.Add({{"ip_family", family}}).Increment(static_cast<double>(cleaned.deleted));
        if (cleaned.deleted > 0)
            log::info("removed stale entries of connection tracking",
                      {{"what", cleaned.what}, {"ip_family", family}, {"entries", std::to_string(cleaned.deleted)}});
        took += cleaned.took;
        error = error.empty() ? cleaned.error : error;
    }
    next_ = Clock::now() + pause_after(took);
    if (!error.empty() && error != last_error_)
        log::warning(
            "connection tracking cannot be read: UDP clients that keep their port may go on asking a pod that is gone, "
            "and clients of TCP that came before their Service may get no answer, until their entry expires; load the "
            "kernel module nf_conntrack_netlink. Trying again every 10 s",
            {{"reason", error}});
    else if (error.empty() && !last_error_.empty())
        log::info("connection tracking can be read again");
    last_error_ = error;
    return error.empty();
}

}  // namespace proxy
