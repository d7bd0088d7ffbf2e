#include "proxy/engine/view.hpp"

#include <boost/json.hpp>
#include <utility>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_message = 4096;  // bytes

json::array texts(const std::vector<std::string>& values) {
    return json::array(values.begin(), values.end());
}

json::array to_value(const std::vector<BackendView>& backends) {
    json::array all;
    for (const BackendView& backend : backends) {
        all.push_back({{"address", backend.address},
                       {"port", backend.port},
                       {"weight", backend.weight},
                       {"state", backend.state}});
        if (!backend.reason.empty())
            all.back().as_object()["reason"] = backend.reason;
    }
    return all;
}

json::object to_value(const ReachView& reach) {
    return {{"fate", reach.fate}, {"backends", to_value(reach.backends)}};
}

json::object to_value(const FrontEndView& front_end) {
    return {{"kind", front_end.kind},
            {"address", front_end.address},
            {"port", front_end.port},
            {"protocol", front_end.protocol},
            {"portName", front_end.port_name},
            {"policy", front_end.policy},
            {"waitsFor", front_end.waits_for},
            {"onlyFrom", texts(front_end.only_from)},
            {"outside", to_value(front_end.outside)},
            {"inside", to_value(front_end.inside)}};
}

std::string text_of(const json::value& value) {
    return base::printable_json(json::serialize(value));
}

}  // namespace

std::string to_json(const StatusView& status) {
    json::object objects;
    for (const auto& [kind, count] : status.objects)
        objects[kind] = count;
    json::array ranges;
    for (const RangeUse& range : status.ranges)
        ranges.push_back({{"range", range.range}, {"size", range.size}, {"used", range.used}});
    json::object real_servers;
    for (const auto& [state, count] : status.kernel.real_servers)
        real_servers[json::string_view(label(state).data(), label(state).size())] = count;
    json::object checked_nodes;
    for (const auto& [life, count] : status.checked_nodes)
        checked_nodes[life] = count;
    json::array problems;
    for (const api::Problem& problem : status.problems)
        problems.push_back(
            {{"message", base::shortened(api::to_string(problem), longest_message)}, {"warning", problem.warning}});
    return base::printable_json(
        json::serialize(json::object{{"version", PODFERRY_VERSION},
                                     {"ready", status.ready},
                                     {"waitingFor", status.waiting_for},
                                     {"uptimeSeconds", status.uptime_s},
                                     {"source", status.source},
                                     {"objects", std::move(objects)},
                                     {"virtualServers", status.kernel.virtual_servers},
                                     {"virtualServersWanted", status.kernel.virtual_servers_wanted},
                                     {"realServers", std::move(real_servers)},
                                     {"changesPending", status.changes_pending},
                                     {"changesRefused", status.changes_refused},
                                     {"healthy", status.healthy},
                                     {"driftRepairs", status.drift_repairs},
                                     {"lastSyncAgeSeconds", status.last_sync_age_s},
                                     {"probeTargets", status.probe_targets},
                                     {"checkedNodes", std::move(checked_nodes)},
                                     {"ranges", std::move(ranges)},
                                     {"problems", std::move(problems)}}));
}

ServicesText::ServicesText(const std::string& waiting_for)
    : text_("{\"waitingFor\":" + text_of(json::string(waiting_for)) + ",\"services\":[") {}

void ServicesText::begin(const ServiceView& service) {
    text_ += std::exchange(first_service_, false) ? "{" : ",{";
    text_ += "\"namespace\":" + text_of(json::string(service.name.space));
    text_ += ",\"name\":" + text_of(json::string(service.name.name));
    text_ += ",\"type\":" + text_of(json::string(service.type)) + ",\"frontEnds\":[";
    first_front_end_ = true;
}

void ServicesText::add(const FrontEndView& front_end) {
    text_ += std::exchange(first_front_end_, false) ? "" : ",";
    text_ += text_of(to_value(front_end));
}

void ServicesText::end(const std::vector<BackendView>& leftover) {
    text_ += "],\"leftover\":" + text_of(to_value(leftover)) + "}";
}

std::string ServicesText::finish() {
    text_ += "]}";
    return std::move(text_);
}

std::string to_json(const ServicesView& services) {
    ServicesText text(services.waiting_for);
    for (const ServiceView& service : services.services) {
        text.begin(service);
        for (const FrontEndView& front_end : service.front_ends)
            text.add(front_end);
        text.end(service.leftover);
    }
    return text.finish();
}

}  // namespace proxy
