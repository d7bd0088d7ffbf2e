// Keeps what an edge balances: front ends with their backends, what the checks have found, and the fates that follow.
// Turns changes of these into transactions for the engine, and says what is to be checked. No I/O and no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/objects/source.hpp"
#include "health/prober.hpp"
#include "proxy/edge/balanced.hpp"
#include "proxy/edge/fate.hpp"
#include "proxy/edge/silence.hpp"
#include "proxy/edge/slices.hpp"

namespace proxy {

/// What an attempt says that has failed: its host is silent, or refuses, or what is asked says no.
Found::Answer failure_of(const health::Outcome& outcome);

/// A front end as it is now, for people. It refers to the balancer, until that changes.
struct BalancedView {
    const Balanced& balanced;
    const std::vector<BackendFate>& fates;
    bool panics = false;
};

class Balancer {
public:
    /// Questions a second at most: when the checks are more, each is asked more seldom, half as often and so on.
    static constexpr double most_per_second = 2'000;

    /// In the place of the former of that name. Which of its real servers get connections is decided by review().
    void put(Balanced balanced);
    void remove(const api::ObjectName& name);
    std::set<api::ObjectName> names() const;

    /// A check has found something. `check`: its Subject's name.
    void note(const health::Report& report, Time now);
    /// An attempt has ended. `asked`: words_of() its check. True: what is known of a check that has failed has changed.
    bool note_outcome(const std::string& asked, const health::Outcome& outcome, Time now);
    /// What is known by a check of that name now.
    const Found& found(const std::string& check) const;

    /// Checks that have come, changed or gone (none of that name) since the last call.
    std::map<std::string, std::map<health::Subject, health::Target>> exchange_targets();

    /// What is wrong with what the front ends come from; it is among the problems that review() tells.
    void set_input_problems(std::vector<api::Problem> problems) { input_problems_ = std::move(problems); }

    /// What has changed for the engine since the last call: Services, slices and problems. nullopt: nothing.
    std::optional<api::Transaction> review(Time now);
    /// When that is due though nobody calls; nullopt: nothing changes with time.
    std::optional<Time> next() const;

    /// Checks that have not decided yet.
    std::size_t undecided() const { return undecided_; }
    std::size_t checks() const { return users_.size(); }
    /// How many times as long as asked for the periods are, because the checks are so many; 1: as asked for.
    int stretch() const { return stretch_; }
    /// How long the checks that there are may need to decide, at most.
    std::chrono::milliseconds longest_window() const;
    /// Why silence is not believed now; empty: it is.
    const std::string& incident() const { return silence_.why(); }
    std::size_t panicking() const;
    std::map<BackendState, std::size_t> states() const;
    std::vector<BalancedView> views() const;

private:
    struct Entry {
        Balanced balanced;
        Fates fates;
        Carried carried;  ///< as the engine has it
        bool told = false;
    };
    struct Check {
        HealthCheck check;
        std::set<api::ObjectName> users;
    };
    /// What several checks ask that differ in their timing.
    struct Asked {
        std::set<std::string> checks;
        Found::Answer failure = Found::Answer::says_no;  ///< of the last attempt that has failed
    };

    void use(const api::ObjectName& name, const Balanced& balanced);
    void found_of(const std::string& check, Found::Answer answer, const std::string& why, Time now);
    void release(const api::ObjectName& name, const Balanced& former, const Balanced& still);
    void forget(const std::string& key);
    void follow_load();
    void decide(Entry& entry, Time now, api::Transaction& transaction);
    std::vector<api::Problem> problems() const;

    std::map<api::ObjectName, Entry> entries_;
    std::map<std::string, Check> users_;         // of each check
    std::map<std::string, Found> found_;         // the same keys
    std::map<std::string, std::string> places_;  // the same keys: the host that is asked
    std::map<std::string, Asked> asked_;         // by words_of() checks
    std::set<std::string> changed_checks_;
    std::set<api::ObjectName> dirty_;
    std::vector<api::Removal> removals_;
    Silence silence_;
    std::size_t undecided_ = 0;
    double load_ = 0;  // questions a second, as asked for
    int stretch_ = 1;
    bool findings_changed_ = false;
    std::vector<api::Problem> input_problems_;
    std::vector<api::Problem> told_problems_;
};

}  // namespace proxy
