// Asks other nodes whether they are alive (guard/node_check.hpp), each on two ways that its kernel answers: one loop
// with one timer for all, sockets of which there are never many, and nothing that lingers.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "health/echo_sockets.hpp"
#include "health/guard/node_check.hpp"
#include "health/guard/node_ways.hpp"
#include "health/knocks.hpp"

namespace health {

/// Who is asked, and how.
struct NodeTarget {
    base::Address address;
    std::vector<std::uint16_t> ports;  ///< of TCP, the best first; whether anybody listens there does not matter
    bool echo = true;                  ///< ICMP before them, where this host may
    bool operator==(const NodeTarget&) const = default;
};

struct NodeReport {
    std::string node;
    NodeLife life = NodeLife::unknown;
    std::optional<Time> silent_since;  ///< of one that is suspect or dead
};

/// How often each of so many nodes is asked on its first path: as the rules say, until these would be more than 500
/// questions a second. In steps of 100 ms.
std::chrono::milliseconds period_of(std::size_t nodes, const NodeCheckRules& rules);

class NodeChecker {
public:
    /// Questions a second at most, whatever happens; what is due waits.
    static constexpr double most_per_second = 2'000;

    using Changed = std::function<void(const NodeReport& report)>;

    /// `changed` is called on the loop when a node has another life. `rules`: of all.
    NodeChecker(boost::asio::any_io_executor executor, Changed changed, NodeCheckRules rules = {});
    NodeChecker(const NodeChecker&) = delete;
    NodeChecker& operator=(const NodeChecker&) = delete;

    /// From now on; nullopt: no more. One that has another address begins anew.
    void set(const std::string& node, std::optional<NodeTarget> target);

    bool has_echo(bool ipv6) const { return echo_.has(ipv6); }
    std::size_t size() const { return nodes_.size(); }
    /// Nodes on which a path has not answered since it was chosen, so that it cannot accuse.
    std::size_t half_known() const;

private:
    struct Node {
        NodeTarget target;
        NodeCheck check;
        NodeWays ways;
        std::uint64_t token = 0;
        Time due;
    };
    using Nodes = std::map<std::string, Node>;

    std::vector<Way> ways_of(const NodeTarget& target) const;
    void remove(const std::string& node);
    void wait();
    void tick();
    std::size_t ask(Node& node, Time now);
    NodeCheckRules paced() const;
    void follow_size();
    void refill(Time now);
    void ended(std::uint64_t token, const Way& way, NodeCheck::Path path, Time asked, Knocked result);
    void answered(Nodes::iterator place, const Way& way, NodeCheck::Path path, Time asked);
    void review(Nodes::iterator place, Time now);
    void requeue(Nodes::iterator place);

    boost::asio::any_io_executor executor_;
    Changed changed_;
    NodeCheckRules rules_;
    EchoSockets echo_;
    Knocks knocks_;
    boost::asio::steady_timer timer_;
    std::mt19937_64 random_{std::random_device{}()};
    Nodes nodes_;
    std::map<std::uint64_t, Nodes::iterator> by_token_;
    std::set<std::pair<Time, std::uint64_t>> queue_;  // when, and the token of whom
    struct {
        double left = 0;  // questions that may be asked at once
        Time filled;
        Time not_before;  // there are some
    } budget_;
    std::chrono::milliseconds period_;
};

}  // namespace health
