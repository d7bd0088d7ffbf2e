#include "proxy/sync/node_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/rfc3339.hpp"
#include "proxy/log/log.hpp"
#include "proxy/serve/metric_labels.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using health::NodeLife;

/// Ports of podferry and kube-proxy, whose listeners take a connection that is reset without a word; and the kubelet's,
/// which logs it, as the last resort. That nobody listens is as good.
const std::vector<std::uint16_t> ports{10256, 10249, 10250};

constexpr std::size_t most_servers = 16;  // of the API, that are checked
constexpr std::chrono::milliseconds between_look_ups = 500ms;
constexpr std::chrono::milliseconds between_looks = 5s;  // for some that are due
constexpr auto look_up_again = 1min;

/// The time of day at that moment, "12:03:04Z".
std::string time_of_day(health::Time moment) {
    const auto wall = std::chrono::system_clock::now() +
                      std::chrono::duration_cast<std::chrono::system_clock::duration>(moment - Clock::now());
    return base::to_rfc3339(std::chrono::time_point_cast<std::chrono::seconds>(wall)).substr(11);
}

bool is_silent(NodeLife life) {
    return life == NodeLife::suspect || life == NodeLife::dead;
}

}  // namespace

NodeWatch::NodeWatch(asio::io_context& context, Engine& engine, Metrics& metrics, Hooks hooks)
    : context_(context),
      engine_(engine),
      metrics_(metrics),
      hooks_(std::move(hooks)),
      checker_(context.get_executor(), [this](const health::NodeReport& report) { note(report); }) {}

void NodeWatch::follow() {
    for (const auto& [node, address] : engine_.nodes().exchange_changed()) {
        checker_.set(node, address ? std::optional(health::NodeTarget{*address, ports}) : std::nullopt);
        dead_.erase(node);
        if (!address)
            looked_up_.erase(node);
    }
    if (!hooks_.find || engine_.nodes().roll().unknown().empty() || std::exchange(looking_, true))
        return;
    spawn(context_, look_up());
}

void NodeWatch::note_api_server(const ServerAddress& server) {
    if (!engine_.nodes().is_wanted() || server.address.is_loopback() || servers_.size() >= most_servers)
        return;
    const std::string name = fmt::format("API server {}:{}", server.address.to_string(), server.port);
    if (servers_.emplace(name, server).second)
        checker_.set(name, health::NodeTarget{server.address, {server.port}});
}

// ---- what comes in -------------------------------------------------------------------------------------------------

void NodeWatch::note(const health::NodeReport& report) {
    if (servers_.contains(report.node)) {
        note_api(report);
        return;
    }
    const std::string why = report.silent_since ? fmt::format("node {} has not answered since {}", report.node,
                                                              time_of_day(*report.silent_since))
                                                : "";
    engine_.nodes().note(report.node, report.life, why);
    metrics_.node_findings.Add({{"to", std::string(word(report.life))}}).Increment();
    hooks_.changed();
    if (report.life == NodeLife::suspect)
        log::debug("node is suspect", {{"node", report.node}, {"reason", why}});
    if (report.life == NodeLife::dead && dead_.insert(report.node).second) {
        hooks_.tell(why + (engine_.nodes().mode() == CheckMode::enforce
                               ? "; its endpoints are out, as far as the guards allow"
                               : "; that is only observed"));
        hooks_.problems_changed();
    }
    if (report.life == NodeLife::alive && dead_.erase(report.node) > 0)
        hooks_.problems_changed();
}

/// One that is on a node which is checked itself is no witness against it.
void NodeWatch::note_api(const health::NodeReport& report) {
    answer_[report.node] = report.life;
    bool any = false;
    bool known = false;
    for (const auto& [name, life] : answer_) {
        if (life == NodeLife::unknown || engine_.nodes().roll().has_address(servers_.at(name).address))
            continue;
        known = true;
        any = any || !is_silent(life);
    }
    engine_.nodes().note_api(known ? std::optional(any) : std::nullopt);
    hooks_.changed();
}

// ---- addresses -----------------------------------------------------------------------------------------------------

std::optional<std::string> NodeWatch::next_to_look_up(health::Time now) const {
    for (const std::string& node : engine_.nodes().roll().unknown())
        if (const auto found = looked_up_.find(node); found == looked_up_.end() || now >= found->second)
            return node;
    return std::nullopt;
}

/// One after the other, so that a cluster whose nodes all start asks for no more than two a second of each.
asio::awaitable<void> NodeWatch::look_up() {
    asio::steady_timer timer(context_);
    while (!engine_.nodes().roll().unknown().empty()) {
        const auto node = next_to_look_up(Clock::now());
        if (node)
            co_await look_up(*node);
        timer.expires_after(node ? between_look_ups : between_looks);
        boost::system::error_code cancelled;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    looking_ = false;
}

asio::awaitable<void> NodeWatch::look_up(std::string node) {
    looked_up_[node] = Clock::now() + look_up_again;
    const auto found = co_await hooks_.find(node);
    if (!found && !std::exchange(complained_, true))
        log::warning("addresses of nodes are not known, so that these are not checked; said once",
                     {{"node", node}, {"reason", found.error()}});
    if (!found || !*found || (*found)->addresses.empty())
        co_return;
    engine_.nodes().put(node, (*found)->addresses.front());
    follow();
}

}  // namespace proxy
