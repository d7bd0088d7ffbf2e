// Keeps one resource known: lists it, watches it, and begins again as often as it must. What to ask next is decided in
// list_watch.hpp; here are the connection, the waiting and the reading.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/cluster/api_client.hpp"
#include "api/cluster/backoff.hpp"
#include "api/cluster/list_watch.hpp"
#include "api/cluster/troubles.hpp"
#include "api/cluster/wire.hpp"

namespace api {

/// How long nothing may come on a watch, and how long to wait after a failure.
struct WatchTiming {
    /// This is for a server that sends bookmarks, which it does every minute. Silence then means that it lives in
    /// another history than we do: an etcd that was restored has older versions than the one that the watch waits for.
    std::chrono::milliseconds bookmark_silence{150'000};
    /// This is for one that does not. It ends watches within 10 minutes.
    std::chrono::milliseconds watch_silence{660'000};
    /// A watch that has lived so long is a success, though nothing has changed meanwhile.
    std::chrono::milliseconds proven_after{3'000};
    Pauses pauses = {};
};

class Reflector {
public:
    /// What it delivers to.
    struct Sink {
        std::function<void(std::vector<WireObject>)> list;    ///< everything there is
        std::function<void(std::vector<WatchEvent>)> events;  ///< added, modified and deleted, as they came together
        /// It can (nothing), or cannot any more, be kept up to date.
        std::function<void(const std::optional<Trouble>& trouble)> health;
    };

    Reflector(ApiClient& client, Resource resource, WatchTiming timing, Sink sink, Reading reading = Reading::objects);

    /// Never ends.
    boost::asio::awaitable<void> run();

    const Resource& resource() const { return list_watch_.resource(); }
    /// How long nothing has been heard. An idle watch hears a bookmark every minute.
    std::chrono::duration<double> stale(Time now) const;

private:
    struct Result {
        Ending ending = Ending::unreachable;
        std::string reason;
        std::chrono::seconds retry_after{0};
        int code = 0;  // HTTP's, of a refusal
    };

    /// Failures in a row that look like the server's.
    struct Breaks {
        std::size_t count = 0;
        Time last;
        Setback setback;  // by them, while the server works for other resources
    };

    boost::asio::awaitable<void> attempt();
    /// Nothing: the request has done what it was for, and the next one may follow.
    boost::asio::awaitable<std::optional<Result>> perform();
    boost::asio::awaitable<std::optional<Result>> read_list();
    boost::asio::awaitable<std::optional<Result>> read_events();
    boost::asio::awaitable<Result> read_refusal(HttpHead head);
    void deliver_list();
    boost::asio::awaitable<Result> read_events_to_their_end();
    void begin_watch();
    void prove();
    void tell(const Result& result, ListWatch::Call call);
    void note_break();
    boost::asio::awaitable<void> recover(Result result);

    ApiClient& client_;
    ListWatch list_watch_;
    WatchTiming timing_;
    Sink sink_;
    Reading reading_;
    std::optional<Link> link_;
    std::vector<WireObject> pages_;  // what has come of a list
    bool listed_once_ = false;
    bool bookmarks_ = false;  // this server sends them
    Time heard_;
    boost::asio::steady_timer proof_;  // when the watch will have lived long enough
    bool proven_ = false;              // the watch
    Time watch_began_;
    Streak streak_{timing_.pauses};  // of failures that are not the server's but this resource's
    Breaks breaks_;
};

}  // namespace api
