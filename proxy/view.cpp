#include "proxy/view.hpp"

#include <boost/json.hpp>

#include "api/plain_text.hpp"

namespace proxy {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_message = 4096;  // bytes

json::array texts(const std::vector<std::string>& values) {
    return json::array(values.begin(), values.end());
}

json::object to_value(const PortView& port) {
    json::array backends;
    for (const BackendView& backend : port.backends)
        backends.push_back({{"address", backend.address},
                            {"port", backend.port},
                            {"weight", backend.weight},
                            {"state", backend.state}});
    return {{"name", port.name},
            {"protocol", port.protocol},
            {"port", port.port},
            {"nodePort", port.node_port},
            {"backends", std::move(backends)}};
}

json::object to_value(const ServiceView& service) {
    json::array ports;
    for (const PortView& port : service.ports)
        ports.push_back(to_value(port));
    return {{"namespace", service.name.space},
            {"name", service.name.name},
            {"type", service.type},
            {"clusterIPs", texts(service.cluster_ips)},
            {"externalIPs", texts(service.external_ips)},
            {"ports", std::move(ports)}};
}

}  // namespace

std::string to_json(const StatusView& status) {
    json::object objects;
    for (const auto& [kind, count] : status.objects)
        objects[kind] = count;
    json::array ranges;
    for (const RangeUse& range : status.ranges)
        ranges.push_back({{"range", range.range}, {"size", range.size}, {"used", range.used}});
    json::array problems;
    for (const api::Problem& problem : status.problems)
        problems.push_back(
            {{"message", api::shortened(api::to_string(problem), longest_message)}, {"warning", problem.warning}});
    return api::printable_json(json::serialize(json::object{{"version", PODFERRY_VERSION},
                                                            {"ready", status.ready},
                                                            {"waitingFor", status.waiting_for},
                                                            {"uptimeSeconds", status.uptime_s},
                                                            {"source", status.source},
                                                            {"objects", std::move(objects)},
                                                            {"virtualServers", status.virtual_servers},
                                                            {"realServers", status.real_servers},
                                                            {"changesPending", status.changes_pending},
                                                            {"driftRepairs", status.drift_repairs},
                                                            {"lastSyncAgeSeconds", status.last_sync_age_s},
                                                            {"probeTargets", status.probe_targets},
                                                            {"ranges", std::move(ranges)},
                                                            {"problems", std::move(problems)}}));
}

std::string to_json(const std::vector<ServiceView>& services) {
    json::array all;
    for (const ServiceView& service : services)
        all.push_back(to_value(service));
    return api::printable_json(json::serialize(all));
}

}  // namespace proxy
