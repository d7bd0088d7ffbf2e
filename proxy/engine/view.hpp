// What the operator sees: the state of the running node as values, as JSON, and as tables. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/objects/source.hpp"
#include "proxy/engine/server_state.hpp"
#include "proxy/plan/allocate.hpp"

namespace proxy {

struct BackendView {
    std::string address;
    std::uint16_t port = 0;
    int weight = 0;  ///< in the kernel; -1: it is not there
    /// A word of server_state.hpp; "pending": the kernel is to have it, or its weight, otherwise; "node suspect" and
    /// "node dead": own checks of its node have it out.
    std::string state;
    /// Why own checks have it out, or why not though it fails them; empty: they have nothing against it.
    std::string reason{};
    bool operator==(const BackendView&) const = default;
};

/// What a client's new connection meets, and the real servers that it may come to, with those that get no new ones.
struct ReachView {
    std::string fate;  ///< "carried", "refused", "dropped", "not in the kernel", "waits" or "not served"
    std::vector<BackendView> backends;
    bool operator==(const ReachView&) const = default;
};

/// An address, port and protocol that a Service asks for.
struct FrontEndView {
    std::string kind;  ///< "ClusterIP", "external IP", "load balancer", "node port"; several with commas
    std::string address;
    std::uint16_t port = 0;
    std::string protocol;
    std::string port_name;
    std::string policy;                  ///< the traffic policy that holds for it: "Cluster" or "Local"
    std::string waits_for;               ///< the Service that has it; empty: this one, if it is served at all
    std::vector<std::string> only_from;  ///< networks of sources; empty: everybody
    ReachView outside;
    ReachView inside;  ///< pods and this host (client_path.hpp)
};

struct ServiceView {
    api::ObjectName name;
    std::string type;
    std::vector<FrontEndView> front_ends;
    std::vector<BackendView> leftover;  ///< of virtual servers that no new connection comes to: they drain
};

struct ServicesView {
    std::string waiting_for;  ///< why Services are missing; empty when all are there
    std::vector<ServiceView> services;
};

/// What of ours is in the kernel.
struct KernelCounts {
    std::size_t virtual_servers = 0;
    std::size_t virtual_servers_wanted = 0;           ///< by the Services that are known so far
    std::map<ServerState, std::size_t> real_servers;  ///< one in two virtual servers is two
};

struct StatusView {
    bool ready = false;
    std::string waiting_for;  ///< why not ready; empty when ready
    double uptime_s = 0;
    std::string source;
    std::map<std::string, std::size_t> objects;  ///< of the kinds that the source reads
    KernelCounts kernel;
    std::size_t changes_pending = 0;
    bool changes_refused = false;  ///< the kernel refuses some of them
    bool healthy = true;           ///< as /livez says (node_health.hpp)
    std::uint64_t drift_repairs = 0;
    double last_sync_age_s = -1;  ///< since the kernel was last seen to hold all that is wanted; negative: never
    std::size_t probe_targets = 0;
    std::map<std::string, std::size_t> checked_nodes;  ///< by what is found of them
    std::vector<RangeUse> ranges;
    std::vector<api::Problem> problems;
};

std::string to_json(const StatusView& status);
std::string to_json(const ServicesView& services);

/// The same, written piece by piece.
class ServicesText {
public:
    explicit ServicesText(const std::string& waiting_for);
    void reserve(std::size_t bytes) { text_.reserve(bytes); }
    void begin(const ServiceView& service);  ///< its name and type
    void add(const FrontEndView& front_end);
    void end(const std::vector<BackendView>& leftover);
    std::string finish();

private:
    std::string text_;
    bool first_service_ = true;
    bool first_front_end_ = true;
};

/// Whether `podferry status` ends with 1: it is not ready, not healthy, the kernel refuses changes, or there are
/// problems. Reads the JSON above; throws as the tables do.
bool is_degraded(std::string_view status_json);
/// The same for the Services: they have not all been read yet.
bool is_waiting(std::string_view services_json);

/// Tables for people, from the JSON above. Throw std::exception on JSON of another shape.
std::string status_table(std::string_view json);
std::string services_table(std::string_view json);

}  // namespace proxy
