#include "health/node_checker.hpp"

#include <algorithm>

namespace health {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Path = NodeCheck::Path;

constexpr std::size_t at_a_time = 256;           // nodes that are asked in one turn of the loop
constexpr std::size_t usual_per_second = 500;    // questions on first paths
constexpr double burst = 512;                    // questions
constexpr std::chrono::milliseconds breath{10};  // until there are some again

}  // namespace

std::chrono::milliseconds period_of(std::size_t nodes, const NodeCheckRules& rules) {
    constexpr std::size_t in_a_step = usual_per_second / 10;
    const std::chrono::milliseconds needed((nodes + in_a_step - 1) / in_a_step * 100);
    return std::max(rules.period, needed);
}

NodeChecker::NodeChecker(asio::any_io_executor executor, Changed changed, NodeCheckRules rules)
    : executor_(std::move(executor)),
      changed_(std::move(changed)),
      rules_(rules),
      echo_(executor_,
            [this](const base::Address& from, const Echo& echo) {
                const auto found = by_token_.find(echo.token);
                if (found != by_token_.end() && found->second->second.target.address == from)
                    answered(found->second, {}, echo.path, echo.asked);
            }),
      knocks_(executor_),
      timer_(executor_),
      period_(rules_.period) {}

std::vector<Way> NodeChecker::ways_of(const NodeTarget& target) const {
    std::vector<Way> ways;
    if (target.echo && echo_.has(target.address.is_v6()))
        ways.push_back({});
    for (const std::uint16_t port : target.ports)
        ways.push_back({port});
    return ways;
}

void NodeChecker::remove(const std::string& node) {
    const auto place = nodes_.find(node);
    if (place == nodes_.end())
        return;
    queue_.erase({place->second.due, place->second.token});
    by_token_.erase(place->second.token);
    nodes_.erase(place);
}

void NodeChecker::set(const std::string& node, std::optional<NodeTarget> target) {
    const auto known = nodes_.find(node);
    if (target && known != nodes_.end() && known->second.target == *target)
        return;
    remove(node);
    const std::vector<Way> ways = target ? ways_of(*target) : std::vector<Way>{};
    if (!ways.empty()) {
        const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
        const auto place =
            nodes_.emplace(node, Node{*target, NodeCheck(paced(), Clock::now(), jitter), NodeWays(ways), random_(), {}})
                .first;
        place->second.due = place->second.check.next();
        by_token_.emplace(place->second.token, place);
        queue_.emplace(place->second.due, place->second.token);
    }
    follow_size();
    wait();
}

/// The second path is asked a fourth as often at most.
NodeCheckRules NodeChecker::paced() const {
    NodeCheckRules rules = rules_;
    rules.period = period_;
    rules.rarely = std::max(rules.rarely, 4 * period_);
    return rules;
}

void NodeChecker::follow_size() {
    const auto period = period_of(nodes_.size(), rules_);
    if (std::exchange(period_, period) == period)
        return;
    const NodeCheckRules rules = paced();
    for (auto& [name, node] : nodes_)
        node.check.set_periods(rules.period, rules.rarely);
}

std::size_t NodeChecker::half_known() const {
    return static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(), [](const auto& entry) {
        return !entry.second.check.has_answered(Path::first) || !entry.second.check.has_answered(Path::second);
    }));
}

void NodeChecker::wait() {
    if (queue_.empty()) {
        timer_.cancel();
        return;
    }
    const Time next = std::max(queue_.begin()->first, budget_.not_before);
    if (next == timer_.expiry())
        return;
    timer_.expires_at(next);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            tick();
    });
}

/// A loop that stood still has not heard of answers yet that have come meanwhile: nobody is judged before it has.
void NodeChecker::tick() {
    const Time now = Clock::now();
    knocks_.expire(now);
    echo_.drain();
    const bool stood_still = now - timer_.expiry() > rules_.patience;
    refill(now);
    for (std::size_t i = 0; i < at_a_time && !queue_.empty() && queue_.begin()->first <= now; ++i) {
        if (budget_.left < 1) {
            budget_.not_before = now + breath;
            break;
        }
        const auto place = by_token_.at(queue_.begin()->second);
        budget_.left -= static_cast<double>(ask(place->second, now));
        requeue(place);
        if (!stood_still)
            review(place, now);
    }
    timer_.expires_at(Time::max());  // it has gone off
    wait();
}

void NodeChecker::refill(Time now) {
    const double passed = std::chrono::duration<double>(now - std::exchange(budget_.filled, now)).count();
    budget_.left = std::min(burst, budget_.left + passed * most_per_second);
}

/// How many questions that was.
std::size_t NodeChecker::ask(Node& node, Time now) {
    const auto paths = node.check.ask(now);
    for (const Path path : paths) {
        const Way& way = node.ways.of(path);
        if (way.port == 0) {
            if (!echo_.ask(node.target.address, {node.token, path, now}))
                node.check.not_asked(path, now);
            continue;
        }
        knocks_.ask(node.target.address, way.port, now, [this, token = node.token, way, path, now](Knocked result) {
            ended(token, way, path, now, result);
        });
    }
    return paths.size();
}

void NodeChecker::ended(std::uint64_t token, const Way& way, Path path, Time asked, Knocked result) {
    const auto found = by_token_.find(token);
    if (found == by_token_.end())
        return;
    if (result == Knocked::answered)
        answered(found->second, way, path, asked);
    else if (result == Knocked::not_asked && found->second->second.ways.of(path) == way)
        found->second->second.check.not_asked(path, asked);
}

/// What an answer carries is the asked node's word: it has not been asked in the future. The path may lead another way
/// by now.
void NodeChecker::answered(Nodes::iterator place, const Way& way, Path path, Time asked) {
    const Time now = Clock::now();
    if (asked > now || place->second.ways.of(path) != way)
        return;
    place->second.check.answered(path, asked);
    requeue(place);
    review(place, now);
    wait();
}

void NodeChecker::requeue(Nodes::iterator place) {
    Node& node = place->second;
    queue_.erase({node.due, node.token});
    node.due = node.check.next();
    queue_.emplace(node.due, node.token);
}

void NodeChecker::review(Nodes::iterator place, Time now) {
    Node& node = place->second;
    const bool is_new = node.check.review(now);
    node.ways.follow(node.check, now);
    if (is_new)
        changed_({place->first, node.check.life(), node.check.silent_since()});
}

}  // namespace health
