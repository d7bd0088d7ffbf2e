// Annotations of a Service that choose its scheduler.
#include "proxy/plan/scheduling.hpp"
#include "netlink/schedulers.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"
#include "netlink/objects.hpp"

using namespace proxy;

namespace {

/// "mh fallback port", then each problem after " ! ".
std::string scheduled(const api::Labels& annotations, bool affinity = false, const std::string& usual = "rr") {
    auto service = build::service("web", "10.96.0.5");
    service.annotations = annotations;
    if (affinity)
        service.client_ip_affinity = std::chrono::seconds(600);
    const Scheduling scheduling = scheduling_of(service, usual, {"twos"});
    std::string text = scheduling.scheduler;
    text += (scheduling.flags & netlink::scheduler_fallback) != 0 ? " fallback" : "";
    text += (scheduling.flags & netlink::scheduler_port) != 0 ? " port" : "";
    text += (scheduling.flags & netlink::scheduler_flag_3) != 0 ? " flag-3" : "";
    if (scheduling.slow_start.count() != 0)
        text += " " + std::to_string(scheduling.slow_start.count()) + "ms";
    for (const std::string& problem : scheduling.problems)
        text += " ! " + problem;
    return text;
}

const char* const ours = "podferry.io/scheduler";
const char* const our_flags = "podferry.io/scheduler-flags";
const char* const alias = "kube-router.io/service.scheduler";
const char* const slow = "podferry.io/slow-start";
const char* const alias_flags = "kube-router.io/service.schedflags";

}  // namespace

TEST_CASE("a Service's scheduler") {
    struct Row {
        const char* what;
        api::Labels annotations;
        const char* result;
    };
    const Row rows[] = {
        {"none given", {}, "rr"},
        {"given", {{ours, "wlc"}}, "wlc"},
        {"with blanks", {{ours, " lc "}}, "lc"},
        {"kube-router's name", {{alias, "lc"}}, "lc"},
        {"both names", {{ours, "wrr"}, {alias, "lc"}}, "wrr"},
        {"mh", {{ours, "mh"}}, "mh fallback port"},
        {"sh", {{ours, "sh"}}, "sh fallback"},
        {"no flags", {{ours, "mh"}, {our_flags, ""}}, "mh fallback"},
        {"one flag", {{ours, "sh"}, {our_flags, "port"}}, "sh fallback port"},
        {"flags by number", {{ours, "mh"}, {our_flags, "flag-1, flag-2,flag-3"}}, "mh fallback port flag-3"},
        {"mh as kube-router has it", {{alias, "mh"}}, "mh fallback"},
        {"with kube-router's flags", {{alias, "mh"}, {alias_flags, "flag-1,flag-2"}}, "mh fallback port"},
        {"kube-router's flags for a scheduler without", {{alias, "lc"}, {alias_flags, "flag-1"}}, "lc"},
        {"no scheduler",
         {{ours, "fastest"}},
         "rr ! metadata.annotations[podferry.io/scheduler]: 'fastest' is not a scheduler; use one of rr wrr lc wlc "
         "lblc "
         "lblcr dh sh sed nq fo ovf mh twos; rr is used"},
        {"an empty one",
         {{alias, ""}},
         "rr ! metadata.annotations[kube-router.io/service.scheduler]: '' is not a scheduler; use one of rr wrr lc wlc "
         "lblc lblcr dh sh sed nq fo ovf mh twos; rr is used"},
        {"one that this kernel lacks",
         {{ours, "twos"}},
         "rr ! metadata.annotations[podferry.io/scheduler]: this node's kernel has no scheduler twos; load its module "
         "ip_vs_twos, which the next audit finds; until then rr is used"},
        {"no flag",
         {{ours, "mh"}, {our_flags, "port,fast"}},
         "mh fallback port ! metadata.annotations[podferry.io/scheduler-flags]: 'fast' is not a flag; use fallback, "
         "port, "
         "or both with a comma between; the usual flags are used"},
        {"flags for a scheduler without",
         {{our_flags, "port"}},
         "rr ! metadata.annotations[podferry.io/scheduler-flags]: only mh and sh have flags, and this Service's "
         "scheduler "
         "is rr"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(scheduled(row.annotations) == row.result);
    }
}

TEST_CASE("the node's scheduler has its flags too, and rr takes the place of one that the kernel lacks") {
    CHECK(scheduled({}, false, "mh") == "mh fallback port");
    CHECK(scheduled({}, false, "twos") == "rr");
    CHECK(scheduled({{ours, "lc"}}, false, "twos") == "lc");
}

TEST_CASE("with session affinity mh hashes the client's address alone, so that all nodes choose alike") {
    CHECK(scheduled({{ours, "mh"}}, true) == "mh fallback");
    CHECK(scheduled({{ours, "mh"}, {our_flags, "port"}}, true) == "mh fallback port");
}

TEST_CASE("slow start has a duration, and a scheduler that shares by weights") {
    const std::string says = " ! metadata.annotations[podferry.io/slow-start]: ";
    const auto no_duration = [&](const std::string& text) {
        return "wrr" + says + "'" + text +
               "' is not a duration from 1s to 1h, such as 30s, nor 0s for none; new pods get their full share at once";
    };
    for (const char* text : {"", "30", "fast", "999ms", "3601s", "-5s", "1h1m"}) {
        CAPTURE(text);
        CHECK(scheduled({{ours, "wrr"}, {slow, text}}) == no_duration(text));
    }
    CHECK(scheduled({{ours, "wrr"}, {slow, " 1m30s "}}) == "wrr 90000ms");
    CHECK(scheduled({{slow, "1s"}}, false, "wlc") == "wlc 1000ms");
    CHECK(scheduled({{slow, "1h"}}, true, "wlc") == "wlc 3600000ms");
    CHECK(scheduled({{slow, "0s"}}) == "rr");
    for (const std::string_view scheduler : netlink::schedulers()) {
        const std::string name(scheduler);
        if (name == "twos")
            continue;  // that this kernel lacks
        const std::string result = scheduled({{ours, name}, {slow, "30s"}});
        CAPTURE(result);
        if (name == "wrr" || name == "wlc" || name == "sed" || name == "nq")
            CHECK(result == name + " 30000ms");
        else
            CHECK_THAT(result, Catch::EndsWith(says + "this Service's scheduler is " + name +
                                               ", which does not share by weights; give it annotation "
                                               "podferry.io/scheduler with one of wrr wlc sed nq twos; until then new "
                                               "pods get their full share at once"));
    }
}
