// Tables for people, made from the JSON that the running podferry serves.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/plain_text.hpp"
#include "proxy/view.hpp"

namespace proxy {
namespace {

namespace json = boost::json;
using Row = std::vector<std::string>;

json::value parse(std::string_view text) {
    return json::parse(json::string_view(text.data(), text.size()));
}

std::string text_of(const json::value& value) {
    return value.is_string() ? api::printable(value.as_string()) : json::serialize(value);
}

/// Columns as wide as their widest cell, two spaces apart.
std::string aligned(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows)
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths.resize(std::max(widths.size(), row.size()));
            widths[column] = std::max(widths[column], row[column].size());
        }
    std::string text;
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column)
            line += fmt::format("{:<{}}  ", row[column], widths[column]);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

/// "10.1.0.11:8080 10.1.0.12:8080(failed probe)"
std::string backends_text(const json::array& backends) {
    std::string text;
    for (const json::value& backend : backends) {
        const std::string address = text_of(backend.at("address"));
        text += text.empty() ? "" : " ";
        text += address.find(':') == std::string::npos ? address : "[" + address + "]";
        text += ":" + text_of(backend.at("port"));
        if (text_of(backend.at("state")) != "active")
            text += "(" + text_of(backend.at("state")) + ")";
    }
    return text.empty() ? "none: connections are refused" : text;
}

void add_service(const json::value& service, std::vector<Row>& rows) {
    std::string addresses;
    for (const char* list : {"clusterIPs", "externalIPs"})
        for (const json::value& address : service.at(list).as_array())
            addresses += (addresses.empty() ? "" : ",") + text_of(address);
    for (const json::value& port : service.at("ports").as_array()) {
        const std::string node_port = text_of(port.at("nodePort"));
        rows.push_back({text_of(service.at("namespace")), text_of(service.at("name")), text_of(service.at("type")),
                        addresses.empty() ? "-" : addresses,
                        text_of(port.at("port")) + "/" + text_of(port.at("protocol")),
                        node_port == "0" ? "-" : node_port, backends_text(port.at("backends").as_array())});
    }
}

std::string range_line(const json::value& range) {
    const auto size = range.at("size").to_number<double>();
    const auto used = range.at("used").to_number<double>();
    return fmt::format("{}  {:.0f} of {:.0f} in use ({:.1f} %)", text_of(range.at("range")), used, size,
                       size > 0 ? 100 * used / size : 0.0);
}

}  // namespace

std::string services_table(std::string_view text) {
    std::vector<Row> rows = {{"NAMESPACE", "NAME", "TYPE", "ADDRESSES", "PORT", "NODEPORT", "BACKENDS"}};
    const json::value services = parse(text);
    for (const json::value& service : services.as_array())
        add_service(service, rows);
    return rows.size() == 1 ? "no Services with an address\n" : aligned(rows);
}

std::string status_table(std::string_view text) {
    const json::value status = parse(text);
    std::vector<Row> rows;
    rows.push_back({"version", text_of(status.at("version"))});
    rows.push_back({"ready", status.at("ready").as_bool() ? "yes" : "no: " + text_of(status.at("waitingFor"))});
    rows.push_back({"up", fmt::format("{:.0f} s", status.at("uptimeSeconds").to_number<double>())});
    rows.push_back({"source", text_of(status.at("source"))});
    for (const auto& [kind, count] : status.at("objects").as_object())
        rows.push_back({"  " + api::printable(kind), json::serialize(count)});
    rows.push_back({"virtual servers", text_of(status.at("virtualServers"))});
    rows.push_back({"real servers", text_of(status.at("realServers"))});
    rows.push_back({"changes pending", text_of(status.at("changesPending"))});
    const double age = status.at("lastSyncAgeSeconds").to_number<double>();
    rows.push_back({"last sync", age < 0 ? "never" : fmt::format("{:.0f} s ago", age)});
    rows.push_back({"drift repaired", text_of(status.at("driftRepairs"))});
    rows.push_back({"probed containers", text_of(status.at("probeTargets"))});
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
