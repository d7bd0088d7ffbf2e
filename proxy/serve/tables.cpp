// Tables for people, made from the JSON that the running podferry serves.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/plain_text.hpp"
#include "proxy/engine/view.hpp"
#include "proxy/serve/aligned.hpp"

namespace proxy {
namespace {

namespace json = boost::json;
using Row = TableRow;

json::value parse(std::string_view text) {
    return json::parse(json::string_view(text.data(), text.size()));
}

std::string text_of(const json::value& value) {
    return value.is_string() ? base::printable(value.as_string()) : json::serialize(value);
}

/// "10.1.0.11:8080", "10.1.0.12:8080(failed probe)", "10.1.0.13:8080(slow start 30)", "10.1.0.14:8080(active: REASON)"
std::string backend_text(const json::value& backend) {
    const std::string address = text_of(backend.at("address"));
    const std::string state = text_of(backend.at("state"));
    std::string text = address.find(':') == std::string::npos ? address : "[" + address + "]";
    text += ":" + text_of(backend.at("port"));
    const json::value* reason = backend.as_object().if_contains("reason");
    if (state == "active" && reason == nullptr)
        return text;
    return text + "(" + state + (state == "slow start" ? " " + text_of(backend.at("weight")) : "") +
           (reason == nullptr ? "" : ": " + text_of(*reason)) + ")";
}

std::string backends_text(const json::array& backends) {
    std::string text;
    for (const json::value& backend : backends)
        text += (text.empty() ? "" : " ") + backend_text(backend);
    return text;
}

/// What clients meet, with the pods that they may come to.
std::string reach_text(const json::value& reach, const std::string& waits_for) {
    const std::string fate = text_of(reach.at("fate"));
    const std::string backends = backends_text(reach.at("backends").as_array());
    if (fate == "carried")
        return backends;
    if (fate == "refused")
        return "none: connections are refused" + (backends.empty() ? "" : "; " + backends);
    if (fate == "dropped")
        return "none on this node: connections are dropped";
    if (fate == "waits")
        return "waits for " + waits_for;
    return fate + "; podferry status says why";
}

/// "10.96.0.5", "[fd00:96::5]", several with commas; the port and the protocol follow.
std::string place_text(const std::vector<std::string>& addresses, const json::value& front_end) {
    std::string text;
    for (const std::string& address : addresses)
        text += (text.empty() ? "" : ",") + (address.find(':') == std::string::npos ? address : "[" + address + "]");
    return text + ":" + text_of(front_end.at("port")) + "/" + text_of(front_end.at("protocol"));
}

/// Rows of one front end, without the Service and the place: a line for all clients, or one for each kind.
std::vector<Row> reach_rows(const json::value& front_end) {
    const std::string waits_for = text_of(front_end.at("waitsFor"));
    std::string only_from;
    for (const json::value& network : front_end.at("onlyFrom").as_array())
        only_from += (only_from.empty() ? "only from " : ",") + text_of(network);
    const std::string rest = only_from.empty() ? "" : " (" + only_from + ")";
    const std::string kind = text_of(front_end.at("kind"));
    const std::string policy = text_of(front_end.at("policy"));
    if (front_end.at("outside") == front_end.at("inside"))
        return {{kind, policy, "all" + rest, reach_text(front_end.at("outside"), waits_for)}};
    return {{kind, policy, "outside" + rest, reach_text(front_end.at("outside"), waits_for)},
            {"", "", "inside" + rest, reach_text(front_end.at("inside"), waits_for)}};
}

/// Front ends that differ in nothing but their address, as a node port's on several of them, share their rows.
void add_service(const json::value& service, std::vector<Row>& rows) {
    struct Shared {
        const json::value* front_end;
        std::vector<std::string> addresses;
        std::vector<Row> rows;
    };
    std::vector<Shared> all;
    for (const json::value& front_end : service.at("frontEnds").as_array()) {
        auto mine = reach_rows(front_end);
        const bool joins = !all.empty() && all.back().rows == mine &&
                           text_of(all.back().front_end->at("port")) == text_of(front_end.at("port")) &&
                           text_of(all.back().front_end->at("protocol")) == text_of(front_end.at("protocol"));
        if (!joins)
            all.push_back({&front_end, {}, std::move(mine)});
        all.back().addresses.push_back(text_of(front_end.at("address")));
    }
    Row name = {text_of(service.at("namespace")), text_of(service.at("name")), text_of(service.at("type"))};
    const auto add = [&](const std::string& place, const Row& rest) {
        rows.push_back(name);
        rows.back().push_back(place);
        rows.back().insert(rows.back().end(), rest.begin(), rest.end());
    };
    for (const Shared& shared : all)
        for (const Row& row : shared.rows)
            add(&row == &shared.rows.front() ? place_text(shared.addresses, *shared.front_end) : "", row);
    if (const auto& leftover = service.at("leftover").as_array(); !leftover.empty())
        add("-", {"no new connections", "-", "-", backends_text(leftover)});
}

std::string range_line(const json::value& range) {
    const auto size = range.at("size").to_number<double>();
    const auto used = range.at("used").to_number<double>();
    return fmt::format("{}  {:.0f} of {:.0f} in use ({:.1f} %)", text_of(range.at("range")), used, size,
                       size > 0 ? 100 * used / size : 0.0);
}

/// "12", "10 of the 12 that are wanted"
std::string virtual_servers_text(const json::value& status) {
    const std::string present = text_of(status.at("virtualServers"));
    const std::string wanted = text_of(status.at("virtualServersWanted"));
    return !status.at("ready").as_bool() ? present + ", from before this podferry"
           : present == wanted           ? present
                                         : present + ", wanted " + wanted;
}

/// "4 active, 1 draining, 2 failed_probe"; of what there is none, nothing is said.
std::string counts_text(const json::object& counts) {
    std::string text;
    for (const auto& [what, count] : counts)
        if (const auto number = count.to_number<std::uint64_t>(); number > 0)
            text += (text.empty() ? "" : ", ") + std::to_string(number) + " " + base::printable(what);
    return text;
}

/// "3 alive, 1 dead"
std::string lives_text(const json::object& counts) {
    const std::string text = counts_text(counts);
    return text.empty() ? "none" : text;
}

/// "7: 4 active, 1 draining, 2 failed_probe"
std::string real_servers_text(const json::object& counts) {
    std::uint64_t total = 0;
    for (const auto& [state, count] : counts)
        total += count.to_number<std::uint64_t>();
    const std::string parts = counts_text(counts);
    return std::to_string(total) + (parts.empty() ? "" : ": " + parts);
}

}  // namespace

std::string services_table(std::string_view text) {
    std::vector<Row> rows = {{"NAMESPACE", "NAME", "TYPE", "FRONT END", "KIND", "POLICY", "CLIENTS", "ENDPOINTS"}};
    const json::value page = parse(text);
    for (const json::value& service : page.at("services").as_array())
        add_service(service, rows);
    if (const std::string waiting_for = text_of(page.at("waitingFor")); !waiting_for.empty())
        return "not ready: waiting for " + waiting_for +
               "; until then the kernel goes on with what an earlier podferry left in it (ipvsadm -L -n)\n";
    return rows.size() == 1 ? "no Services with an address\n" : aligned(rows);
}

bool is_degraded(std::string_view text) {
    const json::value status = parse(text);
    return !status.at("ready").as_bool() || !status.at("healthy").as_bool() || status.at("changesRefused").as_bool() ||
           !status.at("problems").as_array().empty();
}

bool is_waiting(std::string_view text) {
    return !text_of(parse(text).at("waitingFor")).empty();
}

std::string status_table(std::string_view text) {
    const json::value status = parse(text);
    std::vector<Row> rows;
    rows.push_back({"version", text_of(status.at("version"))});
    rows.push_back({"ready", status.at("ready").as_bool() ? "yes" : "no: " + text_of(status.at("waitingFor"))});
    if (!status.at("healthy").as_bool())
        rows.push_back({"healthy", "no: changes wait for 30 s and more, or the kernel refuses most of them"});
    rows.push_back({"up", fmt::format("{:.0f} s", status.at("uptimeSeconds").to_number<double>())});
    rows.push_back({"source", text_of(status.at("source"))});
    for (const auto& [kind, count] : status.at("objects").as_object())
        rows.push_back({"  " + base::printable(kind), json::serialize(count)});
    rows.push_back({"virtual servers", virtual_servers_text(status)});
    rows.push_back({"real servers", real_servers_text(status.at("realServers").as_object())});
    rows.push_back({"changes pending", text_of(status.at("changesPending")) +
                                           (status.at("changesRefused").as_bool() ? ", refused by the kernel" : "")});
    const double age = status.at("lastSyncAgeSeconds").to_number<double>();
    rows.push_back({"last sync", age < 0 ? "never" : fmt::format("{:.0f} s ago", age)});
    rows.push_back({"drift repaired", text_of(status.at("driftRepairs"))});
    rows.push_back({"probed containers", text_of(status.at("probeTargets"))});
    rows.push_back({"checked nodes", lives_text(status.at("checkedNodes").as_object())});
    for (const json::value& range : status.at("ranges").as_array())
        rows.push_back({"range", range_line(range)});
    const json::array& problems = status.at("problems").as_array();
    rows.push_back({"problems", std::to_string(problems.size())});
    std::string result = aligned(rows);
    for (const json::value& problem : problems)
        result +=
            (problem.at("warning").as_bool() ? "  warning: " : "  error: ") + text_of(problem.at("message")) + "\n";
    return result;
}

}  // namespace proxy
