// On which two of several ways a node is asked: ways that its kernel answers, of which firewalls may close some. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "health/guard/node_check.hpp"

namespace health {

/// A way to ask a node's kernel.
struct Way {
    /// 0: by an ICMP echo request; else by a TCP connection to that port, which may be refused.
    std::uint16_t port = 0;
    bool operator==(const Way&) const = default;
};

/// "ICMP echo", "TCP port 10256"
std::string to_string(const Way& way);

class NodeWays {
public:
    using Path = NodeCheck::Path;

    /// `all`: the best first. With a single one both paths go it, and they are not independent.
    explicit NodeWays(std::vector<Way> all);

    const Way& of(Path path) const { return all_[path == Path::first ? first_ : second_]; }

    /// Leads a path another way that is stuck (node_check.hpp): the first one takes the second one's when that answers;
    /// else the next one that the other path does not have.
    void follow(NodeCheck& check, Time now);

private:
    std::size_t next(std::size_t after, std::size_t other) const;

    std::vector<Way> all_;
    std::size_t first_ = 0;
    std::size_t second_ = 0;
};

}  // namespace health
