// Tells "they are dead" from "this edge is cut off": when of those that it checks, on two hosts at least, nobody
// answers any more, its view is worth nothing. Pure; `now` is passed in.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "health/guard/incident.hpp"
#include "proxy/edge/fate.hpp"

namespace proxy {

class Silence {
public:
    Silence();

    /// `places`: the host that each check asks. Costs what the checks are. True: since when silence is not believed has
    /// changed.
    bool review(const std::map<std::string, Found>& checks, const std::map<std::string, std::string>& places, Time now);

    std::optional<Time> disbelieved_since() const { return incident_.disbelieved_since(); }
    /// Why, for people; empty: there is no incident.
    const std::string& why() const { return incident_.why(); }
    std::optional<Time> next() const { return incident_.next(); }

private:
    health::Incident incident_;
};

}  // namespace proxy
