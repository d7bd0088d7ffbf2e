#include "health/guard/node_ways.hpp"

#include <utility>

namespace health {

std::string to_string(const Way& way) {
    return way.port == 0 ? "ICMP echo" : "TCP port " + std::to_string(way.port);
}

NodeWays::NodeWays(std::vector<Way> all) : all_(std::move(all)), second_(all_.size() > 1 ? 1 : 0) {}

std::size_t NodeWays::next(std::size_t after, std::size_t other) const {
    for (std::size_t step = 1; step < all_.size(); ++step)
        if (const std::size_t at = (after + step) % all_.size(); at != other)
            return at;
    return after;
}

void NodeWays::follow(NodeCheck& check, Time now) {
    if (check.is_stuck(Path::first, now)) {
        if (check.has_answered(Path::second) && !check.is_stuck(Path::second, now)) {
            std::swap(first_, second_);
            check.swap();
        } else if (const std::size_t other = next(first_, second_); other != first_) {
            first_ = other;
            check.restart(Path::first);
        }
    }
    if (!check.is_stuck(Path::second, now))
        return;
    if (const std::size_t other = next(second_, first_); other != second_) {
        second_ = other;
        check.restart(Path::second);
    }
}

}  // namespace health
