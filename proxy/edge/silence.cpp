#include "proxy/edge/silence.hpp"

namespace proxy {
namespace {

using namespace std::chrono_literals;

/// The last one may fail a whole window of a check later than the first.
health::IncidentRules rules() {
    health::IncidentRules rules;
    rules.window = 60s;
    rules.percent = 99;
    rules.places = 2;
    rules.calm = 5s;
    return rules;
}

}  // namespace

Silence::Silence() : incident_(rules()) {}

bool Silence::review(const std::map<std::string, Found>& checks, const std::map<std::string, std::string>& places,
                     Time now) {
    std::vector<health::Bad> bad;
    std::size_t decided = 0;
    for (const auto& [check, found] : checks) {
        decided += found.answer != Found::Answer::unknown ? 1 : 0;
        if (found.answer == Found::Answer::silent)
            bad.push_back({found.since, places.at(check)});
    }
    const auto before = incident_.disbelieved_since();
    incident_.review(bad, decided, now);
    return incident_.disbelieved_since() != before;
}

}  // namespace proxy
