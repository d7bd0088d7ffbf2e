#include "proxy/plan/scheduling.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <optional>

#include "base/go_duration.hpp"
#include "base/plain_text.hpp"
#include "netlink/objects.hpp"
#include "netlink/schedulers.hpp"

namespace proxy {
namespace {

using namespace std::chrono_literals;

/// An annotation under one of its names.
struct Given {
    std::string name;
    std::string value;
    bool is_alias = false;
};

std::optional<Given> given(const api::Service& service, const char* name, const char* alias) {
    for (const bool is_alias : {false, true})
        if (const auto found = service.annotations.find(is_alias ? alias : name); found != service.annotations.end())
            return Given{found->first, boost::algorithm::trim_copy(found->second), is_alias};
    return std::nullopt;
}

constexpr auto shortest_slow_start = 1s;
constexpr auto longest_slow_start = 1h;

std::string field(const Given& annotation) {
    return "metadata.annotations[" + base::shortened(annotation.name, 320) + "]: ";
}

/// 0 for a word that is none.
std::uint32_t flag(const std::string& word) {
    if (word == "fallback" || word == "flag-1")
        return netlink::scheduler_fallback;
    if (word == "port" || word == "flag-2")
        return netlink::scheduler_port;
    return word == "flag-3" ? netlink::scheduler_flag_3 : 0;
}

/// nullopt, and a problem, when a word of it is none.
std::optional<std::uint32_t> read_flags(const Given& annotation, std::vector<std::string>& problems) {
    std::vector<std::string> words;
    boost::algorithm::split(words, annotation.value, [](char c) { return c == ','; });
    std::uint32_t flags = 0;
    for (std::string& word : words) {
        boost::algorithm::trim(word);
        if (!word.empty() && flag(word) == 0) {
            problems.push_back(fmt::format(
                "{}{} is not a flag; use fallback, port, or both with a comma between; the usual flags are used",
                field(annotation), base::quoted(word)));
            return std::nullopt;
        }
        flags |= flag(word);
    }
    return flags;
}

std::string hashing_scheduler(const std::string& usual, const std::set<std::string>& missing) {
    for (const char* scheduler : {"mh", "sh"})
        if (!missing.contains(scheduler))
            return scheduler;
    return usual;
}

/// Reads the annotation of a Service whose scheduler is known.
std::chrono::milliseconds read_slow_start(const api::Service& service, Scheduling& result) {
    const auto found = service.annotations.find("podferry.io/slow-start");
    if (found == service.annotations.end())
        return 0ms;
    const Given annotation{found->first, boost::algorithm::trim_copy(found->second)};
    const auto time = base::parse_go_duration(annotation.value);
    const bool in_range = time && *time >= shortest_slow_start && *time <= longest_slow_start;
    if (!in_range && (!time || *time != 0ns))
        result.problems.push_back(fmt::format(
            "{}{} is not a duration from 1s to 1h, such as 30s, nor 0s for none; new pods get their full share at "
            "once",
            field(annotation), base::quoted(annotation.value)));
    else if (in_range && !netlink::shares_by_weight(result.scheduler))
        result.problems.push_back(
            fmt::format("{}this Service's scheduler is {}, which does not share by weights; give it annotation "
                        "podferry.io/scheduler with one of {}; until then new pods get their full share at once",
                        field(annotation), result.scheduler, fmt::join(netlink::sharing_schedulers(), " ")));
    else if (in_range)
        return std::chrono::duration_cast<std::chrono::milliseconds>(*time);
    return 0ms;
}

}  // namespace

Scheduling scheduling_of(const api::Service& service, const std::string& usual, const std::set<std::string>& missing) {
    Scheduling result{missing.contains(usual) ? "rr" : usual, 0, {}, 0ms, {}};
    const auto scheduler = given(service, "podferry.io/scheduler", "kube-router.io/service.scheduler");
    if (scheduler && !netlink::is_scheduler(scheduler->value))
        result.problems.push_back(fmt::format("{}{} is not a scheduler; use one of {}; {} is used", field(*scheduler),
                                              base::quoted(scheduler->value), fmt::join(netlink::schedulers(), " "),
                                              result.scheduler));
    else if (scheduler && missing.contains(scheduler->value))
        result.problems.push_back(fmt::format(
            "{}this node's kernel has no scheduler {}; load its module ip_vs_{}, which the next audit finds; until "
            "then {} is used",
            field(*scheduler), scheduler->value, scheduler->value, result.scheduler));
    else if (scheduler)
        result.scheduler = scheduler->value;
    result.hashing = hashing_scheduler(result.scheduler, missing);
    result.slow_start = read_slow_start(service, result);

    const auto flags = given(service, "podferry.io/scheduler-flags", "kube-router.io/service.schedflags");
    if (!netlink::has_flags(result.scheduler)) {
        if (flags && !flags->is_alias && result.problems.empty())
            result.problems.push_back(fmt::format("{}only mh and sh have flags, and this Service's scheduler is {}",
                                                  field(*flags), result.scheduler));
        return result;
    }
    const bool by_port = result.scheduler == "mh" && !service.client_ip_affinity && !(scheduler && scheduler->is_alias);
    result.flags = by_port ? netlink::scheduler_port : 0;
    if (flags)
        result.flags = read_flags(*flags, result.problems).value_or(result.flags);
    result.flags |= netlink::scheduler_fallback;
    return result;
}

}  // namespace proxy
