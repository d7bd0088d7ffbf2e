// The Kubernetes API as a source of objects: a list of resources, each listed and watched.
#pragma once

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
#include "api/cluster/watched_resources.hpp"
#include "api/objects/source.hpp"

namespace api {

struct KubernetesOptions {
    Access access;
    std::string node_name;
    /// How long a list that suddenly lacks most objects is not believed; 0: it is believed.
    std::chrono::milliseconds relist_hold{300'000};
    WatchTiming timing;
    /// What is watched; empty: resources_of_node().
    std::vector<WatchedResource> resources{};
};

class KubernetesSource : public Source {
public:
    /// Throws std::runtime_error for a server that is no URL. `hooks` must outlive it.
    KubernetesSource(boost::asio::io_context& context, KubernetesOptions options, const ApiHooks& hooks);
    ~KubernetesSource() override;

    boost::asio::awaitable<void> run(OnTransaction deliver) override;
    std::string name() const override { return client_.first_name(); }
    std::string waiting_for() const override;

    bool of_cluster() const override { return true; }
    /// What it must have is up to date: for a node, Services and EndpointSlices.
    bool is_current() const override;
    /// Each ailment has been given to the hook `away`.
    Condition condition() const override;

    /// False as long as the server has such a resource and has not listed it.
    bool knows(Kind kind) const override;

    /// Looks up another node's Node object, in the server's cache; nullopt: there is none. The error is why not.
    boost::asio::awaitable<tl::expected<std::optional<Node>, std::string>> find_node(std::string name);

    /// Writes an Event (event_poster.hpp).
    boost::asio::awaitable<void> post(EventNote note) { return events_.post(std::move(note)); }

private:
    /// One resource: who watches it, and what is known of it.
    struct Watched {
        WatchedResource about;
        std::unique_ptr<Reflector> reflector;
        ObjectSet objects;
        bool listed = false;
        bool absent = false;     ///< this server has no such resource
        bool forbidden = false;  ///< it has been said that we may not read it

        bool is_known() const { return listed || absent; }
        bool is_missed() const { return listed && objects.size() == 0 && !about.when_empty.empty(); }
    };

    Watched make(std::size_t index, WatchedResource resource, const KubernetesOptions& options);
    void apply_list(std::size_t index, std::vector<WireObject> objects);
    void apply_events(std::size_t index, std::vector<WatchEvent> events);
    void note_health(std::size_t index, const std::optional<Trouble>& trouble);
    bool ails(const Watched& watched) const { return troubles_.any(watched.about.resource.name); }
    void count_mistakes(const WireObject& object, const Resource& resource) const;
    void hand_over();
    void add_problems(Transaction& changes);
    bool has_what_it_must() const;
    bool complete() const;
    bool note_optional_health(Watched& watched, const std::optional<Trouble>& trouble);
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
    std::optional<Time> awaited_;  // until when what need not be there is, once all else is
    std::optional<Time> away_since_;
    EventPoster events_;
};

}  // namespace api
