#include "proxy/serve/metric_labels.hpp"

#include <algorithm>
#include <map>
#include <variant>

#include "api/cluster/list_watch.hpp"
#include "netlink/objects.hpp"
#include "proxy/engine/server_state.hpp"
#include "proxy/serve/metrics.hpp"

namespace proxy {
namespace {

using Values = std::vector<std::string>;

const Values drift_objects = {"virtual_server", "real_server", "route",  "element",       "device",   "nftables",
                              "routing",        "source",      "sysctl", "ipvs_timeouts", other_label};
const Values api_codes = {"200", "201", "400", "401", "403", "404", "409", "410", "422",    "429",
                          "500", "503", "504", "1xx", "2xx", "3xx", "4xx", "5xx", "<error>"};
const Values resources = {"services", "endpointslices", "nodes", "servicecidrs", "pods", "node_endpointslices"};
const Values families = {"IPv4", "IPv6"};

bool is_in(const Values& values, std::string_view value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

Values restart_reasons() {
    Values reasons;
    for (int ending = 0; ending <= static_cast<int>(api::Ending::broken); ++ending)
        reasons.emplace_back(api::word(static_cast<api::Ending>(ending)));
    reasons.emplace_back(other_label);
    return reasons;
}

Values operations() {
    Values names;
    for (std::size_t i = 0; i < std::variant_size_v<netlink::Change>; ++i)
        names.emplace_back(netlink::operation(i));
    return names;
}

template <class Enumeration>
Values words_up_to(Enumeration last) {
    Values words;
    for (int i = 0; i <= static_cast<int>(last); ++i)
        words.emplace_back(word(static_cast<Enumeration>(i)));
    return words;
}

/// Every combination. `more`: what a histogram needs besides.
template <class Family, class... More>
void create(Family& family, const std::map<std::string, Values>& values, const More&... more) {
    std::vector<std::map<std::string, std::string>> all = {{}};
    for (const auto& [name, choices] : values) {
        std::vector<std::map<std::string, std::string>> longer;
        for (const auto& labels : all)
            for (const std::string& choice : choices) {
                longer.push_back(labels);
                longer.back()[name] = choice;
            }
        all = std::move(longer);
    }
    for (const auto& labels : all)
        family.Add(labels, more...);
}

}  // namespace

std::string_view word(health::Verdict verdict) {
    switch (verdict) {
        case health::Verdict::ready:
            return "ready";
        case health::Verdict::failed:
            return "failed";
        case health::Verdict::unknown:
            break;
    }
    return "unknown";
}

std::string_view word(health::ProbeType type) {
    switch (type) {
        case health::ProbeType::readiness:
            return "readiness";
        case health::ProbeType::liveness:
            return "liveness";
        case health::ProbeType::startup:
            break;
    }
    return "startup";
}

std::string_view word(health::Answer answer) {
    static constexpr std::string_view words[] = {"success", "warning", "failure", "unknown", "error"};
    return words[static_cast<std::size_t>(answer)];
}

std::string_view word(health::NodeLife life) {
    static constexpr std::string_view words[] = {"unknown", "alive", "suspect", "dead"};
    return words[static_cast<std::size_t>(life)];
}

std::string drift_label(std::string_view what) {
    const std::string_view first = what.substr(0, what.find(' '));
    return is_in(drift_objects, first) ? std::string(first) : other_label;
}

std::string code_label(const std::string& code) {
    return is_in(api_codes, code) || code.empty() ? code : code.substr(0, 1) + "xx";
}

std::string restart_label(const std::string& reason) {
    static const Values known = restart_reasons();
    return is_in(known, reason) ? reason : other_label;
}

void create_known_labels(Metrics& metrics) {
    Values states;
    for (const ServerState state : all_server_states)
        states.emplace_back(label(state));
    create(metrics.objects, {{"kind", {"Service", "EndpointSlice", "Node"}}});
    create(metrics.real_servers, {{"state", states}});
    create(metrics.no_local_endpoints, {{"traffic_policy", {"internal", "external"}}, {"ip_family", families}});
    create(metrics.firewall_drops, {{"ip_family", families}});
    create(metrics.other_proxy, {{"proxy", {"kube-proxy", "kube-router"}}});
    create(metrics.start_seconds, {{"phase", {"reading", "planning", "kernel", "complete"}}});
    create(metrics.sync_seconds, {{"kind", {"full", "incremental", "audit"}}}, time_buckets());
    create(metrics.netlink_operations, {{"op", operations()}, {"result", {"ok", "refused"}}});
    create(metrics.drift_repairs, {{"object", drift_objects}});
    create(metrics.healthz_answers, {{"code", {"200", "503"}}});
    create(metrics.livez_answers, {{"code", {"200", "503"}}});
    create(metrics.conntrack_seconds, {{"ip_family", families}}, time_buckets());
    create(metrics.conntrack_deleted, {{"ip_family", families}});
    create(metrics.problems, {{"severity", {"error", "warning"}}});
    create(metrics.api_requests, {{"verb", {"LIST", "WATCH", "POST", "GET"}}, {"code", api_codes}});
    create(metrics.api_watch_restarts, {{"resource", resources}, {"reason", restart_reasons()}});
    create(metrics.api_relists, {{"resource", resources}});
    create(metrics.api_decode_errors, {{"resource", resources}});
    create(metrics.api_stale_seconds, {{"resource", resources}});
    const Values types = words_up_to(health::ProbeType::startup);
    create(metrics.probes, {{"type", types}, {"result", words_up_to(health::Answer::error)}});
    create(metrics.probe_seconds, {{"type", types}}, time_buckets());
    create(metrics.probe_transitions, {{"to", words_up_to(health::Verdict::failed)}});
    create(metrics.checked_nodes, {{"life", words_up_to(health::NodeLife::dead)}});
    create(metrics.node_findings, {{"to", words_up_to(health::NodeLife::dead)}});
}

}  // namespace proxy
