// What the operator sees: the state of the running node as values, as JSON, and as tables. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/source.hpp"
#include "proxy/allocate.hpp"

namespace proxy {

struct BackendView {
    std::string address;
    std::uint16_t port = 0;
    int weight = 0;     ///< in the kernel
    std::string state;  ///< "active", "slow start", "draining", "failed probe", "pending"
};

struct PortView {
    std::string name;
    std::string protocol;
    std::uint16_t port = 0;
    std::uint16_t node_port = 0;
    std::vector<BackendView> backends;
};

struct ServiceView {
    api::ObjectName name;
    std::string type;
    std::vector<std::string> cluster_ips;
    std::vector<std::string> external_ips;
    std::vector<PortView> ports;
};

struct StatusView {
    bool ready = false;
    std::string waiting_for;  ///< why not ready; empty when ready
    double uptime_s = 0;
    std::string source;
    std::map<std::string, std::size_t> objects;
    std::size_t virtual_servers = 0;
    std::size_t real_servers = 0;
    std::size_t changes_pending = 0;
    std::uint64_t drift_repairs = 0;
    double last_sync_age_s = -1;  ///< negative: never
    std::size_t probe_targets = 0;
    std::vector<RangeUse> ranges;
    std::vector<api::Problem> problems;
};

std::string to_json(const StatusView& status);
std::string to_json(const std::vector<ServiceView>& services);

/// Tables for people, from the JSON above. Throw std::exception on JSON of another shape.
std::string status_table(std::string_view json);
std::string services_table(std::string_view json);

}  // namespace proxy
