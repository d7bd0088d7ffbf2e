// One time of a controller, from its start until it has to begin anew: it waits for the Lease, and then leads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/cluster/event_poster.hpp"
#include "api/cluster/reflector.hpp"
#include "proxy/controller/allocation_rounds.hpp"
#include "proxy/controller/controller.hpp"
#include "proxy/controller/controller_metrics.hpp"
#include "proxy/controller/lease_keeper.hpp"
#include "proxy/controller/pool_file.hpp"
#include "proxy/controller/status_writer.hpp"
#include "proxy/serve/listener.hpp"

namespace proxy {

class RunningController {
public:
    /// `file` has a configuration. All of them must outlive it. Throws std::runtime_error for a server that is no URL.
    RunningController(boost::asio::io_context& context, const ControllerOptions& options, const api::Access& access,
                      PoolFile& file, ControllerMetrics& metrics);

    /// Begins; the loop stops when the Lease is lost.
    void start();
    /// Gives up the Lease, and stops the loop.
    void stop();
    /// It is not to begin anew.
    bool stopped() const { return stopped_; }

private:
    /// The Services, once it leads.
    struct Watching {
        api::ApiClient client;
        api::Reflector reflector;
        api::Troubles troubles;
        bool listed = false;
        Watching(boost::asio::io_context& context, const api::Access& access, const api::ApiHooks& hooks,
                 api::Reflector::Sink sink);
    };
    struct Serving {
        Pages pages;
        std::vector<std::unique_ptr<Listener>> listeners;
    };
    struct Posting {
        api::ApiClient client;
        api::EventPoster poster;
        Posting(boost::asio::io_context& context, const api::Access& access, const api::ApiHooks& hooks,
                const std::string& identity)
            : client(context, access, hooks), poster(client, identity) {}
    };

    void lead(const LeaseRecord& taken);
    void lose(const std::string& why);
    void begin_anew(const std::string& why);
    boost::asio::awaitable<void> give_up();
    boost::asio::awaitable<void> work();
    void write_what_may_be();
    void note_list(std::vector<api::WireObject> objects);
    void note_events(std::vector<api::WatchEvent> events);
    void note_done(const StatusWrite& write, WriteResult result, const std::string& why);
    void tell(const StatusWrite& write);
    void post(const StatusWrite& write, const std::string& reason, const std::string& message, bool warning);
    void note_health(const std::optional<api::Trouble>& trouble);
    void read_file();
    void wake() { timer_.cancel(); }
    void listen();
    Reply ready() const;
    Reply live() const;

    boost::asio::io_context& context_;
    const ControllerOptions& options_;
    PoolFile& file_;
    ControllerMetrics& metrics_;
    const api::ApiHooks hooks_;
    AddressAllocator allocator_;
    AllocationRounds rounds_{allocator_};
    LeaseKeeper keeper_;
    StatusWriter writer_;
    Watching watching_;
    Posting posting_;
    boost::asio::steady_timer timer_;  // until there is something to plan
    Rarely complaints_;
    Serving serving_;
    bool stopped_ = false;
};

}  // namespace proxy
