// Chooses which problems are logged: each once when it comes and once when it goes; of a kind the first ten, and then
// so few that nobody fills the log by making mistakes. Costs what changes. Pure.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/cluster/event_post.hpp"
#include "api/objects/source.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

class ProblemLog {
public:
    using Time = std::chrono::steady_clock::time_point;

    struct Line {
        log::Level level = log::Level::info;
        std::string text;       ///< of the problem, or a sentence that counts them
        bool resolved = false;  ///< the problem is gone
    };

    /// The problems of `kind` ("conflicts") that `key` (an object; empty: all of that kind are given at once) has now,
    /// in the place of those that it had.
    void put(const std::string& kind, const std::string& key, const std::vector<api::Problem>& problems, Time now);

    /// The lines that this makes, in order. Problems that get no line of their own are counted in one, once a minute.
    std::vector<Line> exchange_lines(Time now);

private:
    struct Kind {
        api::Tokens lines{10, std::chrono::seconds(10)};
        std::size_t uncounted = 0;
        Time count_at;
    };
    using Said = std::map<std::string, bool>;  // by text

    bool may_say(Kind& kind, Time now);

    std::map<std::string, Kind> kinds_;
    std::map<std::pair<std::string, std::string>, Said> known_;  // by kind and key
    std::vector<Line> lines_;
};

}  // namespace proxy
