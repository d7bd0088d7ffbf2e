// The Kubernetes API as a source of objects: Services, EndpointSlices, this node's own Node and ServiceCIDRs,
// listed and watched.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/cluster/api_client.hpp"
#include "api/cluster/event_poster.hpp"
#include "api/cluster/object_set.hpp"
#include "api/cluster/reflector.hpp"
#include "api/objects/source.hpp"

namespace api {

struct KubernetesOptions {
    Access access;
    std::string node_name;
    /// How long a list that suddenly lacks most objects is not believed; 0: it is believed.
    std::chrono::milliseconds relist_hold{300'000};
    WatchTiming timing;
};

class KubernetesSource : public Source {
public:
    /// Throws std::runtime_error for a server that is no URL. `hooks` must outlive it.
    KubernetesSource(boost::asio::io_context& context, KubernetesOptions options, const ApiHooks& hooks);
    ~KubernetesSource() override;

    boost::asio::awaitable<void> run(OnTransaction deliver) override;
    std::string name() const override { return client_.first_name(); }
    std::string waiting_for() const override;

    /// Seconds since something was last heard about each resource; 0 while it is watched.
    std::map<std::string, double> staleness() const;
    /// Removals that are held back.
    std::size_t held() const;
    /// Whether Services and EndpointSlices are up to date, as far as can be told.
    bool watching() const;
    /// What keeps resources from being watched now; each has been given to the hook `away`.
    std::vector<Problem> ailments() const;

    /// Whether all ServiceCIDRs have been delivered, or there is no such resource. Nothing waits for them for long.
    bool knows_service_cidrs() const { return watched_[cidrs].listed || cidrs_absent_; }

    /// Writes an Event (event_poster.hpp).
    boost::asio::awaitable<void> post(EventNote note) { return events_.post(std::move(note)); }

private:
    static constexpr std::size_t services = 0;
    static constexpr std::size_t slices = 1;
    static constexpr std::size_t node = 2;
    static constexpr std::size_t cidrs = 3;

    /// One resource: who watches it, and what is known of it.
    struct Watched {
        std::unique_ptr<Reflector> reflector;
        ObjectSet objects;
        bool listed = false;
    };

    Watched make(std::size_t index, Resource resource, Kind kind, const KubernetesOptions& options);
    void take_list(std::size_t index, std::vector<WireObject> objects);
    void take_events(std::size_t index, std::vector<WatchEvent> events);
    void take_health(std::size_t index, const std::optional<Trouble>& trouble);
    const std::string& name_of(std::size_t index) const { return watched_[index].reflector->resource().name; }
    bool ails(const Watched& watched) const { return troubles_.any(watched.reflector->resource().name); }
    void count_mistakes(const WireObject& object, const Resource& resource) const;
    void hand_over();
    void add_problems(Transaction& changes);
    bool complete() const;
    bool take_optional_health(const std::optional<Trouble>& trouble);
    boost::asio::awaitable<void> keep_time();

    ApiClient client_;
    std::string node_name_;
    OnTransaction deliver_;
    std::vector<Watched> watched_;
    Troubles troubles_;
    Transaction pending_;
    std::uint64_t problems_version_ = 0;
    bool delivered_ = false;
    boost::asio::steady_timer timer_;
    std::optional<Time> node_awaited_;  // until when, once all else is there
    std::optional<Time> away_since_;
    bool cidrs_absent_ = false;     // this server has no such resource
    bool cidrs_forbidden_ = false;  // said so
    EventPoster events_;
};

}  // namespace api
