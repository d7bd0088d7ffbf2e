// The way to the API servers that everything that asks them shares: which server, with which credentials, how soon
// again after a failure, and what is told to the outside about it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "api/cluster/credentials.hpp"
#include "api/cluster/event_post.hpp"
#include "api/cluster/http.hpp"
#include "api/cluster/server_pool.hpp"
#include "api/cluster/server_url.hpp"
#include "api/cluster/troubles.hpp"

namespace api {

/// What the outside may want to count or log. Each may be empty.
struct ApiHooks {
    /// verb: LIST, WATCH, POST, GET; code: the HTTP status, or "<error>" when there was no answer.
    std::function<void(const std::string& verb, const std::string& code)> request;
    /// A connection to a server is there.
    std::function<void(const boost::asio::ip::tcp::endpoint& server)> connected;
    std::function<void(const std::string& resource, const std::string& reason)> watch_restarted;
    std::function<void(const std::string& resource)> relisted;
    std::function<void(const std::string& resource)> decode_error;
    /// When something keeps resources from being watched, and seldom while it lasts; once, when all is watched again.
    std::function<void(const TroubleNews& news)> away;
    std::function<void(std::chrono::seconds away_for)> back;
    /// A resource that podferry can do without is not there. Once.
    std::function<void(const std::string& resource, const std::string& reason)> absent;
    /// An Event that is not written. `detail`: what the server says, or why it cannot be reached.
    std::function<void(EventLoss loss, const std::string& detail)> event_lost;
};

/// An open connection to one of the servers.
struct Link {
    std::size_t server = 0;
    Time began;
    std::unique_ptr<HttpConnection> connection;
    std::string bearer_token;
};

/// What one watch has found out for itself about a server that serves others: it does not ask before.
struct Setback {
    std::size_t server = 0;
    Time not_before;
};

/// What a server says to a request.
struct ApiAnswer {
    unsigned status = 0;
    std::string body;
    std::optional<std::chrono::seconds> retry_after;
    bool whole = true;  ///< false: the connection broke, or there was too much; the end of the body is missing
    /// The server has done what it was asked for, and all of its answer is here.
    bool fulfilled() const { return status / 100 == 2 && whole; }
};

/// What the server says of a request that it has not fulfilled: "403: nodes is forbidden".
std::string refusal_of(const ApiAnswer& answer);

/// What a request has besides.
struct RequestForm {
    std::string content_type{};  ///< of the body; empty: JSON, or of a PATCH a merge patch
    std::chrono::milliseconds answer_within = HttpRequest().answer_within;
};

class ApiClient {
public:
    /// The most that is read of the answer to request(), in bytes: one object, of which etcd stores 1.5 MiB.
    static constexpr std::size_t longest_answer = std::size_t{4} * 1024 * 1024;

    /// Throws std::runtime_error for a server that is no URL. `hooks` must outlive it.
    ApiClient(boost::asio::io_context& context, Access access, const ApiHooks& hooks, Pauses pauses = {});

    /// Waits until a server may be asked, also by this watch, and connects. The error is why it could not; it has been
    /// noted, and the next call waits longer or asks another server.
    boost::asio::awaitable<tl::expected<Link, Trouble>> connect(Setback own = {});

    /// The token of a link that is used again may have been replaced since.
    boost::asio::awaitable<void> renew(Link& link);

    /// One question and its answer, whatever the status; for what is no list and no watch. `method`: GET, POST,
    /// PUT, PATCH (a merge patch), DELETE; `path` with its query; `body`: JSON, or empty. Nothing is tried again. The
    /// error is why there is no answer, in words. Requests one after the other share a connection, until hang_up().
    boost::asio::awaitable<tl::expected<ApiAnswer, std::string>> request(std::string method, std::string path,
                                                                         std::string body = {}, RequestForm form = {});
    /// Closes the connection that request() keeps.
    void hang_up() { idle_.reset(); }

    /// A request and its answer; nothing: there was none.
    void count(const std::string& verb, const std::optional<unsigned>& status) const;

    void failed(const Link& link, std::chrono::seconds retry_after);
    void succeeded(const Link& link);
    /// Whether that server has done what some watch asked of it after `moment`.
    bool worked_since(const Link& link, Time moment) const { return pool_.worked(link.server) > moment; }
    void refused_credentials(const std::string& bearer_token) { credentials_.refused(bearer_token); }

    std::string name(std::size_t server) const { return to_string(servers_[server]); }
    std::string first_name() const { return to_string(servers_.front()); }
    /// 0 to 1.
    double jitter() { return std::uniform_real_distribution<double>(0, 1)(random_); }
    boost::asio::io_context& context() { return context_; }
    const ApiHooks& hooks() const { return hooks_; }

private:
    boost::asio::awaitable<tl::expected<Link, std::string>> link_for_request();

    boost::asio::io_context& context_;
    const ApiHooks& hooks_;
    std::vector<ServerUrl> servers_;
    ServerPool pool_;
    Credentials credentials_;
    std::mt19937 random_{std::random_device{}()};
    std::optional<Link> idle_;
};

/// Waits; returns at once for a moment in the past.
boost::asio::awaitable<void> sleep_until(boost::asio::io_context& context, Time moment);

}  // namespace api
