// Whether another node is alive, by asking it on two independent paths: a cheap one that its kernel answers, and a
// second one that has to be silent too before the node counts as dead. Only silence accuses, and only on a path that
// has answered before. Pure; `now` and jitter are passed in, and who asks is somebody else.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "health/guard/finding.hpp"

namespace health {

struct NodeCheckRules {
    std::chrono::milliseconds period{500};     ///< of questions on the first path while all are answered
    std::chrono::milliseconds rarely{10'000};  ///< the same on the second one
    std::chrono::milliseconds patience{200};   ///< how long an answer may take; from then on both paths are asked fast
    std::chrono::milliseconds fast{100};
    std::chrono::milliseconds suspect{1'000};  ///< of silence on the first path
    std::chrono::milliseconds dead{3'000};     ///< of silence on both
    std::size_t samples = 5;                   ///< unanswered questions, at least, before a path's silence counts
    std::size_t returns = 2;                   ///< answers after which a dead one is used again
    std::size_t tries = 20;                    ///< of a path that has never answered, before it is asked rarely
    std::chrono::milliseconds stuck{10'000};   ///< of silence, before another way is tried (is_stuck())
};

enum class NodeLife : std::uint8_t {
    unknown,  ///< it has never answered
    alive,
    suspect,  ///< no new connections; taken back by the first answer
    dead,     ///< what it had is reset
};

class NodeCheck {
public:
    enum class Path : std::uint8_t { first, second };

    /// `jitter`: 0 <= jitter < 1, which spreads the questions of many checks over a period.
    NodeCheck(NodeCheckRules rules, Time now, double jitter);

    /// From now on it is asked so often while all is answered.
    void set_periods(std::chrono::milliseconds first, std::chrono::milliseconds second) {
        rules_.period = first;
        rules_.rarely = second;
    }

    /// When ask() and review() are due.
    Time next() const { return std::min(due(Path::first), due(Path::second)); }
    /// The paths on which to ask at `now`.
    std::vector<Path> ask(Time now);
    /// What was asked at that time has been answered, and so is what was asked before.
    void answered(Path path, Time asked);
    /// This node could not ask (no route, no memory): that says nothing about the other one.
    void not_asked(Path path, Time asked);
    /// True: it has another life than after the last review.
    bool review(Time now);

    /// It is the path and not the node: it has never answered, or is silent while the other one answers.
    bool is_stuck(Path path, Time now) const;
    bool has_answered(Path path) const { return line(path).answered.has_value(); }
    /// It leads another way from now on: what was asked before does not count.
    void restart(Path path);
    /// Each path leads the other one's way from now on.
    void swap() { std::swap(lines_[0], lines_[1]); }

    NodeLife life() const { return life_; }
    /// Since when it has not answered, if it is suspect or dead.
    std::optional<Time> silent_since() const;
    /// "no answer for 1.2 s (7 questions)", for people; empty while it answers.
    std::string why(Time now) const;

private:
    struct Line {
        std::deque<Time> open;  // what is not answered, in order
        std::optional<Time> asked;
        std::optional<Time> answered;  // when that was asked which was answered last
        std::size_t in_a_row = 0;      // answers
        std::size_t tries = 0;         // questions, whatever the way, until the first answer
    };

    Line& line(Path path) { return lines_[static_cast<std::size_t>(path)]; }
    const Line& line(Path path) const { return lines_[static_cast<std::size_t>(path)]; }
    Time due(Path path) const;
    bool is_late(const Line& line, Time now) const;
    bool is_silent(const Line& line, Time now, std::chrono::milliseconds time) const;
    NodeLife next_life(Time now) const;

    NodeCheckRules rules_;
    Time start_;
    std::array<Line, 2> lines_;
    NodeLife life_ = NodeLife::unknown;
};

}  // namespace health
