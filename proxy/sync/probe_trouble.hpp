// Remembers probes that this host could not make: they are a problem of the node, not of the pods. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "proxy/engine/refusals.hpp"

namespace proxy {

class ProbeTrouble {
public:
    static constexpr std::chrono::seconds remembered{60};

    /// An attempt has ended without a word about its pod.
    void note(const std::string& reason, Time now);

    /// A sentence with what went wrong within the last minute; nullopt: nothing did.
    std::optional<std::string> problem(Time now) const;

private:
    static constexpr std::size_t most = 4;
    std::map<std::string, Time> last_;  // by reason
};

}  // namespace proxy
