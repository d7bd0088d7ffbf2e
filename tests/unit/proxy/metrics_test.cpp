// The registry as a scraper sees it when podferry has just started, held against the rules of `promtool check metrics`
// (prometheus/client_golang, prometheus/testutil/promlint/validations), which are few. promtool 2.42.0 over a real page
// said one thing only: the _total of kube-proxy's own gauge.
#include "proxy/serve/metrics.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "proxy/serve/metric_labels.hpp"
#include "proxy/sync/cluster.hpp"

using namespace proxy;

namespace {

struct Family {
    std::string type;
    std::string help;
    std::set<std::string> series;  // with their labels
};

std::map<std::string, Family> families_of(const Metrics& metrics) {
    std::map<std::string, Family> families;
    std::istringstream lines(metrics.text());
    std::string last;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string hash, what, name, rest;
        if (line[0] != '#') {
            families[last].series.insert(line.substr(0, line.rfind(' ')));
            continue;
        }
        words >> hash >> what >> name;
        std::getline(words >> std::ws, rest);
        last = name;
        (what == "HELP" ? families[name].help : families[name].type) = rest;
    }
    return families;
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// What promtool would say of a family.
std::vector<std::string> faults(const std::string& name, const Family& family) {
    std::vector<std::string> all;
    const auto complain = [&](bool wrong, const char* what) {
        if (wrong)
            all.push_back(name + ": " + what);
    };
    complain(family.help.empty(), "no help text");
    complain((family.type == "counter") != ends_with(name, "_total"), "_total is for counters, and all of them");
    for (const char* suffix : {"_bucket", "_count", "_sum", "_info"})
        complain(ends_with(name, suffix) && !(family.type == "gauge" && ends_with(name, "_info")),
                 "a suffix of histograms and summaries");
    static const std::regex type_in_name("_(gauge|counter|histogram|summary)(_|$)");
    static const std::regex other_unit(
        "_(milliseconds?|microseconds?|nanoseconds?|minutes?|hours?|days?|weeks?|kilobytes?|megabytes?|gigabytes?|bits?"
        "|"
        "percent|s|ms|us|ns|sec|b|kb|mb|gb|tb|m|h|d)(_|$)");
    static const std::regex plain("[a-z][a-z0-9_]*");
    complain(std::regex_search(name, type_in_name), "its type is in its name");
    complain(std::regex_search(name, other_unit), "a unit that is not a base unit, or an abbreviation");
    complain(!std::regex_match(name, plain), "another form than snake_case");
    static const std::regex label("[{,]([^=]+)=");
    for (const std::string& series : family.series)
        for (auto at = std::sregex_iterator(series.begin(), series.end(), label); at != std::sregex_iterator(); ++at) {
            const std::string found = (*at)[1];
            complain(!std::regex_match(found, plain), "a label that is not in snake_case");
            complain((found == "le" && family.type != "histogram") || found == "quantile", "a label that is reserved");
        }
    return all;
}

std::size_t series_count(const Metrics& metrics) {
    std::size_t count = 0;
    for (const auto& [name, family] : families_of(metrics))
        count += family.series.size();
    return count;
}

}  // namespace

TEST_CASE("every metric is there from the start") {
    const Metrics metrics;
    const auto families = families_of(metrics);
    // Their label is a range of the configuration; without a cluster, each page has all that are configured.
    const std::set<std::string> of_the_configuration = {"podferry_range_size", "podferry_range_used"};
    for (const std::string& name : metrics.names) {
        CAPTURE(name);
        const auto found = families.find(name);
        const bool present = found != families.end() && !found->second.series.empty();
        CHECK(present == !of_the_configuration.contains(name));
    }
}

TEST_CASE("every label of a counter is there from the start") {
    const Metrics metrics;
    const auto families = families_of(metrics);
    const std::map<std::string, std::string> some = {
        {"podferry_netlink_operations_total", R"({op="add-server",result="refused"})"},
        {"podferry_drift_repairs_total", R"({object="real_server"})"},
        {"podferry_proxy_healthz_total", R"({code="503"})"},
        {"podferry_proxy_livez_total", R"({code="503"})"},
        {"podferry_conntrack_reconciler_deleted_entries_total", R"({ip_family="IPv6"})"},
        {"podferry_api_requests_total", R"({code="<error>",verb="WATCH"})"},
        {"podferry_api_watch_restarts_total", R"({reason="unreachable",resource="endpointslices"})"},
        {"podferry_api_relists_total", R"({resource="nodes"})"},
        {"podferry_api_decode_errors_total", R"({resource="services"})"},
        {"podferry_events_lost_total", R"({reason="forbidden"})"},
        {"podferry_probe_total", R"({result="error",type="liveness"})"},
        {"podferry_probe_state_transitions_total", R"({to="failed"})"},
        {"podferry_node_check_transitions_total", R"({to="suspect"})"},
    };
    for (const auto& [name, family] : families) {
        if (family.type != "counter")
            continue;
        CAPTURE(name);
        const auto known = some.find(name);
        CHECK(family.series.contains(name + (known == some.end() ? "" : known->second)));
    }
    for (const auto& [name, labels] : some)
        CHECK(families.contains(name));
}

TEST_CASE("what happens counts on what is there, and makes nothing new") {
    Metrics metrics;
    const std::size_t before = series_count(metrics);
    const api::ApiHooks hooks = api_hooks(metrics);
    for (const char* code : {"200", "201", "302", "418", "429", "502", "503", "<error>"})
        hooks.request("LIST", code);
    hooks.watch_restarted("services", "closed");
    hooks.watch_restarted("services", "something new");
    hooks.relisted("nodes");
    hooks.decode_error("endpointslices");
    for (const char* what : {"device podferry0", "nftables table inet podferry", "sysctl a.b=1", "something new"})
        metrics.drift_repairs.Add({{"object", drift_label(what)}}).Increment();
    CHECK(series_count(metrics) == before);
    CHECK_THAT(metrics.text(), Catch::Contains(R"(podferry_api_requests_total{code="5xx",verb="LIST"} 1)"));
    CHECK_THAT(metrics.text(), Catch::Contains(R"(podferry_drift_repairs_total{object="other"} 1)"));
}

TEST_CASE("promtool check metrics has nothing to say, but of a name that is kube-proxy's") {
    const Metrics metrics;
    std::vector<std::string> found;
    for (const auto& [name, family] : families_of(metrics))
        for (std::string& fault : faults(name, family))
            found.push_back(std::move(fault));
    CHECK(found == std::vector<std::string>{"podferry_sync_proxy_rules_no_local_endpoints_total: _total is for "
                                            "counters, and all of them"});

    const Family good{"counter", "Help.", {R"(x_total{ip_family="IPv4"})"}};
    CHECK(faults("x_total", good).empty());
    CHECK(faults("x", good).size() == 1);
    CHECK(faults("x_total", {"gauge", "Help.", {}}).size() == 1);
    CHECK(faults("x_ms", {"gauge", "Help.", {}}).size() == 1);
    CHECK(faults("x_counter_total", good).size() == 1);
    CHECK(faults("xY", {"gauge", "", {}}).size() == 2);
    CHECK(faults("x", {"gauge", "Help.", {R"(x{ipFamily="IPv4",quantile="1"})"}}).size() == 2);
}
