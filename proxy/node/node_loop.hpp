// The running node: what is fed by a source of objects, the prober and the kernel's notifications, and the one loop
// that carries the engine's wishes to the kernel. Its parts: node_loop.cpp starts and waits, node_intake.cpp takes what
// comes in, node_sync.cpp speaks to the kernel, node_view.cpp shows.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "api/cluster/kubernetes_source.hpp"
#include "health/prober.hpp"
#include "netlink/linux_kernel.hpp"
#include "netlink/monitor.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/engine/rounds.hpp"
#include "proxy/engine/trigger_times.hpp"
#include "proxy/engine/view.hpp"
#include "proxy/host/host_watch.hpp"
#include "proxy/host/limits.hpp"
#include "proxy/host/networks.hpp"
#include "proxy/serve/health_server.hpp"
#include "proxy/serve/metrics.hpp"
#include "proxy/serve/node_health.hpp"
#include "proxy/sync/flow_cleaner.hpp"
#include "proxy/sync/probe_trouble.hpp"
#include "proxy/sync/problem_log.hpp"
#include "proxy/sync/state_file.hpp"
#include "proxy/sync/tracking_drops.hpp"

namespace proxy {

/// Where the objects come from, and what the configuration left open.
struct NodeInputs {
    std::string manifests;              ///< a folder; empty: the API
    std::optional<api::Access> access;  ///< to the API
    bool node_ip_given = false;  ///< by the configuration; else the Node object's addresses count, if there are any
};

class NodeLoop {
public:
    /// `began`: when the program was started, for podferry_start_seconds. Throws when the kernel cannot be spoken to,
    /// or an API server is no URL.
    NodeLoop(boost::asio::io_context& context, Config config, NodeInputs inputs, Time began);

    /// Puts our device and table in place, adopts the kernel as it is, and begins to wait for the objects; nothing is
    /// programmed or removed before they are complete. Call once. Throws std::exception.
    void start();

    /// What is wrong with a listener; an empty text: nothing any more. It becomes a problem, and an Event of the Node.
    void note_listener(const std::string& setting, const std::string& reason, const std::string& problem);

    StatusView status() const;
    /// The page of Services (ServicesPage), made in turns.
    boost::asio::awaitable<Reply> services();
    /// The Prometheus page, with gauges brought up to date.
    std::string metrics();
    /// The health pages (node_health.hpp), as of now.
    Reply healthz();
    Reply livez();
    Reply readyz() const;

private:
    // What comes in.
    void take(api::Transaction transaction);
    void take_node();
    void take_report(const health::Report& report);
    void take_attempt(const health::Attempt& attempt);
    std::string zone() const;
    void follow_addresses();
    bool follow_networks(bool again = false);
    void log_new_problems();
    void post(api::EventNote note);
    void post_of_service(const api::ObjectName& service, const char* reason, const std::string& text);
    void tell_conflicts();
    void tell_listen_failures();
    void tell_plan_problems();
    void tell_read_only();
    void look_at_host();
    void set_targets();
    void listen_to_kernel();
    void hear_of_damage();
    boost::asio::awaitable<void> listen(boost::asio::posix::stream_descriptor& socket,
                                        netlink::Notices (netlink::Monitor::*read)());

    // The loop.
    void begin(api::Transaction everything);
    void spawn(boost::asio::awaitable<void> task);
    void wake();
    boost::asio::awaitable<void> control();
    boost::asio::awaitable<void> round();
    void note_failure(const std::string& reason);
    boost::asio::awaitable<void> sleep_until_needed();
    void sweep_or_hold();
    void sweep_when_due();
    void look_at_draining();

    // To the kernel.
    void adopt();
    void program_everything_now();
    boost::asio::awaitable<void> plan();
    boost::asio::awaitable<void> sync();
    boost::asio::awaitable<void> audit();
    /// What exists once in the kernel, and the host's settings: put in place. Returns what had to be done; what could
    /// not be done is a problem until the next time.
    netlink::LinuxKernel::Prepared prepare();
    /// prepare() where everything should be in place: what is not has been damaged by somebody.
    void put_back();
    void count_connections();
    /// The number of changes that the kernel took or refused.
    std::size_t step_once(std::size_t limit);
    void account(const StepResult& result);
    void account(const Drift& drift);
    void finish_sync();
    void serve_health_ports();

    NodeHealth health() const;
    std::string waiting_for() const;
    std::vector<api::Problem> problems() const;
    std::vector<api::Problem> node_problems() const;
    StatusView state() const;
    void count_problems();
    void update_gauges();

    boost::asio::io_context& context_;
    Config config_;
    NodeInputs inputs_;
    Time began_;
    Metrics metrics_;
    api::ApiHooks hooks_;
    netlink::LinuxKernel kernel_;
    std::unique_ptr<api::Source> source_;
    std::function<boost::asio::awaitable<void>(api::EventNote)> post_;  // where there is an API to post to
    StateFile state_file_;
    TrackingDrops tracking_drops_;
    ProbeTrouble probe_trouble_;
    health::Prober prober_;
    Engine engine_;
    Reconciler reconciler_;
    FlowCleaner flow_cleaner_;
    HealthServer health_server_;
    HostWatch host_watch_;
    Networks networks_{config_};
    bool changes_refused_ = false;  // as far as health ports know
    std::unique_ptr<netlink::Monitor> monitor_;
    std::optional<boost::asio::posix::stream_descriptor> route_socket_;
    std::optional<boost::asio::posix::stream_descriptor> nft_socket_;
    std::optional<boost::asio::posix::stream_descriptor> families_socket_;
    boost::asio::steady_timer timer_;
    bool woken_ = false;
    bool addresses_changed_ = false;  // of the host, or addresses or zone of the Node object
    bool audit_wanted_ = false;
    bool host_changed_ = false;  // its addresses or families, since the last audit
    Rounds rounds_;
    std::uint64_t told_refusals_ = 0;  // Refusals::version()
    bool hears_of_damage_ = false;     // to routes and nftables; what happens to them before is for begin_audit()
    bool ready_ = false;
    bool leaving_ = false;
    bool node_seen_ = false;
    std::vector<Address> node_addresses_;  // as the Node object has them
    bool adopted_something_ = false;
    Time adopted_;
    Time reading_since_;
    std::optional<Time> sweep_at_;  // until when removals at the start are held back
    Time next_audit_;
    Time last_audit_;
    Time next_look_;                      // at what drains
    std::optional<Time> unsynced_since_;  // the oldest wish that has not been given to the kernel
    TriggerTimes changes_{std::chrono::system_clock::now()};
    std::chrono::system_clock::time_point last_sync_;
    std::uint64_t drift_repairs_ = 0;
    ProblemLog problem_log_;
    bool source_problems_changed_ = true;                   // since they were logged
    std::map<std::string, std::string> listener_problems_;  // by setting
    std::vector<ListenFailure> told_failures_;
    std::set<Conflict> told_conflicts_;
    std::vector<std::string> kernel_problems_;  // since the last audit
    std::vector<std::string> read_only_;        // sysctls, since the last audit
    ReadOnlyNews read_only_news_;
    std::optional<std::string> table_problem_;  // of IPVS's connections
};

}  // namespace proxy
