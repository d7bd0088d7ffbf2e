// What Services ask for and do not get, by Service, and of which of them that has changed. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/objects/types.hpp"

namespace proxy {

class PlanProblems {
public:
    using Texts = std::vector<std::string>;  ///< "field: sentence"

    /// Replaces those that the Service had; none: it is in order, or gone.
    void put(const api::ObjectName& service, Texts problems);

    const std::map<api::ObjectName, Texts>& all() const { return problems_; }
    /// How many all Services have together.
    std::size_t count() const;
    const Texts& of(const api::ObjectName& service) const;

    /// Services whose problems have changed since the last call, each with those that it did not have then.
    std::map<api::ObjectName, Texts> exchange_changed();

private:
    std::map<api::ObjectName, Texts> problems_;
    std::map<api::ObjectName, Texts> before_;  // as they were at the last call, of Services that have changed since
};

}  // namespace proxy
