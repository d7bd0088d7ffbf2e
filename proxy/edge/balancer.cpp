#include "proxy/edge/balancer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"

namespace proxy {
namespace {

std::string host_of(const HealthCheck& check) {
    return std::visit(base::overloaded{[](const health::TcpCheck& tcp) { return tcp.host; },
                                       [](const health::HttpCheck& http) { return http.host; },
                                       [](const health::GrpcCheck& grpc) { return grpc.host; },
                                       [](const health::ExecCheck& exec) { return exec.socket; }},
                      check.spec.check);
}

double load_of(const HealthCheck& check) {
    return 1.0 / static_cast<double>(std::max<std::int64_t>(check.spec.timing.period.count(), 1));
}

api::Removal removal_of(const api::EndpointSlice& slice) {
    return {api::Kind::endpoint_slice, slice.name};
}

}  // namespace

Found::Answer failure_of(const health::Outcome& outcome) {
    static const std::string connecting = "connect: ";
    static const std::string absent = connecting + std::make_error_code(std::errc::host_unreachable).message();
    if (outcome.doubt == health::Doubt::silence || outcome.doubt == health::Doubt::route || outcome.reason == absent)
        return Found::Answer::silent;
    return outcome.reason.starts_with(connecting) ? Found::Answer::refuses : Found::Answer::says_no;
}

// ---- front ends --------------------------------------------------------------------------------------------------

void Balancer::put(Balanced balanced) {
    const api::ObjectName name = balanced.service.name;
    const auto [place, fresh] = entries_.try_emplace(name);
    Entry& entry = place->second;
    if (!fresh && entry.balanced == balanced)
        return;
    const Balanced former = std::exchange(entry.balanced, std::move(balanced));
    use(name, entry.balanced);  // first: what both ask is not forgotten in between
    release(name, former, entry.balanced);
    entry.fates.each.assign(entry.balanced.backends.size(), {});
    dirty_.insert(name);
    follow_load();
}

void Balancer::remove(const api::ObjectName& name) {
    const auto found = entries_.find(name);
    if (found == entries_.end())
        return;
    if (found->second.told) {
        removals_.push_back({api::Kind::service, name});
        for (const api::EndpointSlice& slice : found->second.carried.slices)
            removals_.push_back(removal_of(slice));
    }
    release(name, found->second.balanced, {});
    entries_.erase(found);
    dirty_.erase(name);
    follow_load();
}

std::set<api::ObjectName> Balancer::names() const {
    std::set<api::ObjectName> names;
    for (const auto& [name, entry] : entries_)
        names.insert(names.end(), name);
    return names;
}

// ---- checks ------------------------------------------------------------------------------------------------------

void Balancer::use(const api::ObjectName& name, const Balanced& balanced) {
    for (const Backend& backend : balanced.backends) {
        if (!backend.check)
            continue;
        const std::string key = to_string(*backend.check);
        const auto [place, fresh] = users_.try_emplace(key);
        Check& check = place->second;
        if (fresh) {
            check.check = *backend.check;
            places_[key] = host_of(check.check);
            asked_[words_of(check.check.spec.check)].checks.insert(key);
            found_.emplace(key, Found{});
            ++undecided_;
            changed_checks_.insert(key);
        }
        if (check.users.empty())
            load_ += load_of(check.check);
        check.users.insert(name);
    }
}

/// Nobody uses it, and nobody has since its targets were last asked for.
void Balancer::forget(const std::string& key) {
    const auto place = users_.find(key);
    const auto asked = asked_.find(words_of(place->second.check.spec.check));
    asked->second.checks.erase(key);
    if (asked->second.checks.empty())
        asked_.erase(asked);
    undecided_ -= found_.at(key).answer == Found::Answer::unknown ? 1 : 0;
    users_.erase(place);
    found_.erase(key);
    places_.erase(key);
    findings_changed_ = true;
}

/// Those that `still` asks are not released.
void Balancer::release(const api::ObjectName& name, const Balanced& former, const Balanced& still) {
    std::set<std::string> kept;
    for (const Backend& backend : still.backends)
        if (backend.check)
            kept.insert(to_string(*backend.check));
    for (const Backend& backend : former.backends) {
        const std::string key = backend.check ? to_string(*backend.check) : "";
        if (key.empty() || kept.contains(key))
            continue;
        const auto place = users_.find(key);
        if (place == users_.end())
            continue;
        if (place->second.users.erase(name) == 0 || !place->second.users.empty())
            continue;
        load_ -= load_of(place->second.check);
        changed_checks_.insert(key);  // unless another one uses it by then, it is forgotten
    }
}

void Balancer::follow_load() {
    int stretch = 1;
    while (load_ / stretch > most_per_second && stretch < 1024)
        stretch *= 2;
    if (std::exchange(stretch_, stretch) == stretch)
        return;
    for (const auto& [key, check] : users_)
        changed_checks_.insert(key);
}

std::map<std::string, std::map<health::Subject, health::Target>> Balancer::exchange_targets() {
    std::map<std::string, std::map<health::Subject, health::Target>> targets;
    for (const std::string& key : std::exchange(changed_checks_, {})) {
        auto& of_key = targets[key];
        const auto check = users_.find(key);
        if (check == users_.end())
            continue;
        if (check->second.users.empty()) {
            forget(key);
            continue;
        }
        health::Target target;
        target.incarnation = key;
        target.readiness = check->second.check.spec;
        target.readiness->timing.period *= stretch_;
        of_key[{key, ""}] = std::move(target);
    }
    return targets;
}

const Found& Balancer::found(const std::string& check) const {
    static const Found nothing;
    const auto known = found_.find(check);
    return known == found_.end() ? nothing : known->second;
}

void Balancer::note(const health::Report& report, Time now) {
    const auto check = users_.find(report.subject.pod);
    if (check == users_.end())
        return;
    const std::string asked = words_of(check->second.check.spec.check);
    const Found::Answer answer = report.verdict == health::Verdict::unknown ? Found::Answer::unknown
                                 : report.verdict == health::Verdict::ready ? Found::Answer::passes
                                                                            : asked_.at(asked).failure;
    found_of(check->first, answer, report.reason, now);
}

bool Balancer::note_outcome(const std::string& asked, const health::Outcome& outcome, Time now) {
    const auto place = asked_.find(asked);
    if (place == asked_.end() || outcome.answer != health::Answer::failure)
        return false;
    const Found::Answer failure = failure_of(outcome);
    if (std::exchange(place->second.failure, failure) == failure)
        return false;
    bool changed = false;
    for (const std::string& check : place->second.checks)
        if (const Found::Answer known = found(check).answer;
            known == Found::Answer::says_no || known == Found::Answer::refuses || known == Found::Answer::silent) {
            found_of(check, failure, outcome.reason, now);
            changed = true;
        }
    return changed;
}

void Balancer::found_of(const std::string& check, Found::Answer answer, const std::string& why, Time now) {
    Found& found = found_.at(check);
    if (found.answer == answer && found.why == why)
        return;
    if (found.answer != answer) {
        undecided_ -= found.answer == Found::Answer::unknown ? 1 : 0;
        undecided_ += answer == Found::Answer::unknown ? 1 : 0;
        found.since = now;
    }
    found.answer = answer;
    found.why = why;
    found.has_passed = found.has_passed || answer == Found::Answer::passes;
    findings_changed_ = true;
    const auto& users = users_.at(check).users;
    dirty_.insert(users.begin(), users.end());
}

std::chrono::milliseconds Balancer::longest_window() const {
    std::chrono::milliseconds longest{0};
    for (const auto& [key, check] : users_)
        longest = std::max(longest, window_of(check.check.spec.timing) * stretch_);
    return longest;
}

// ---- fates -------------------------------------------------------------------------------------------------------

std::optional<api::Transaction> Balancer::review(Time now) {
    const bool silence_due = silence_.next() && now >= *silence_.next();
    if ((std::exchange(findings_changed_, false) || silence_due) && silence_.review(found_, places_, now))
        dirty_.merge(names());
    for (const auto& [name, entry] : entries_)
        if (entry.fates.again && now >= *entry.fates.again)
            dirty_.insert(name);
    api::Transaction transaction;
    transaction.removals = std::exchange(removals_, {});
    for (const api::ObjectName& name : std::exchange(dirty_, {}))
        decide(entries_.at(name), now, transaction);
    std::vector<api::Problem> fresh = problems();
    transaction.same_problems = fresh == told_problems_;
    if (transaction.same_problems && transaction.upserts.empty() && transaction.removals.empty())
        return std::nullopt;
    if (!transaction.same_problems)
        transaction.problems = told_problems_ = std::move(fresh);
    return transaction;
}

void Balancer::decide(Entry& entry, Time now, api::Transaction& transaction) {
    entry.fates = fates_of(entry.balanced, {found_, silence_.disbelieved_since()}, entry.fates.panic, now);
    Carried carried = carried_of(entry.balanced, entry.fates.each);
    if (!entry.told || carried.service != entry.carried.service)
        transaction.upserts.push_back({carried.service, entry.balanced.origin});
    for (std::size_t i = 0; i < carried.slices.size(); ++i)
        if (!entry.told || i >= entry.carried.slices.size() || carried.slices[i] != entry.carried.slices[i])
            transaction.upserts.push_back({carried.slices[i], {}});
    if (entry.told)
        for (std::size_t i = carried.slices.size(); i < entry.carried.slices.size(); ++i)
            transaction.removals.push_back(removal_of(entry.carried.slices[i]));
    entry.carried = std::move(carried);
    entry.told = true;
}

std::vector<api::Problem> Balancer::problems() const {
    std::vector<api::Problem> all = input_problems_;
    if (!silence_.why().empty())
        all.push_back({{}, "", silence_.why() + ": this edge may be cut off, so that nobody is taken for dead", true});
    if (stretch_ > 1)
        all.push_back({{},
                       "",
                       fmt::format("{} health checks are more than {} questions a second: each is asked {} times as "
                                   "seldom as it says, and failures are noticed that much later",
                                   users_.size(), most_per_second, stretch_),
                       true});
    for (const auto& [name, entry] : entries_) {
        const std::string object = "front end " + api::to_string(name);
        for (const std::string& problem : entry.balanced.problems)
            all.push_back({entry.balanced.origin, object, problem, true});
        if (entry.fates.panic.panics)
            all.push_back(
                {entry.balanced.origin, object, "most of its backends fail their checks: all that do are kept", true});
    }
    return all;
}

std::optional<Time> Balancer::next() const {
    std::optional<Time> next = silence_.next();
    for (const auto& [name, entry] : entries_)
        if (entry.fates.again)
            next = std::min(*entry.fates.again, next.value_or(*entry.fates.again));
    return next;
}

// ---- for people --------------------------------------------------------------------------------------------------

std::size_t Balancer::panicking() const {
    return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                  [](const auto& entry) { return entry.second.fates.panic.panics; }));
}

std::map<BackendState, std::size_t> Balancer::states() const {
    std::map<BackendState, std::size_t> states;
    for (const BackendState state : all_backend_states)
        states[state] = 0;
    for (const auto& [name, entry] : entries_)
        for (const BackendFate& fate : entry.fates.each)
            ++states[fate.state];
    return states;
}

std::vector<BalancedView> Balancer::views() const {
    std::vector<BalancedView> views;
    for (const auto& [name, entry] : entries_)
        views.push_back({entry.balanced, entry.fates.each, entry.fates.panic.panics});
    return views;
}

}  // namespace proxy
