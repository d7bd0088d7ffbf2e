#include "api/cluster/api_client.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <utility>

#include "api/cluster/wire.hpp"

namespace api {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds answer_silence{10};

std::vector<ServerUrl> parse_servers(const std::vector<std::string>& texts) {
    std::vector<ServerUrl> servers;
    for (const std::string& text : texts) {
        auto url = parse_server_url(text);
        if (!url)
            throw std::runtime_error("API server " + url.error());
        servers.push_back(std::move(*url));
    }
    if (servers.empty())
        throw std::runtime_error("no API server is given");
    return servers;
}

}  // namespace

asio::awaitable<void> sleep_until(asio::io_context& context, Time moment) {
    if (moment <= Clock::now())
        co_return;
    asio::steady_timer timer(context, moment);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

std::string refusal_of(const ApiAnswer& answer) {
    return std::to_string(answer.status) + ": " +
           (answer.whole ? read_status(answer.body).message : "the answer is not whole");
}

ApiClient::ApiClient(asio::io_context& context, Access access, const ApiHooks& hooks, Pauses pauses)
    : context_(context),
      hooks_(hooks),
      servers_(parse_servers(access.servers)),
      pool_(servers_.size(), pauses),
      credentials_(context, std::move(access)) {}

asio::awaitable<tl::expected<Link, Trouble>> ApiClient::connect(Setback own) {
    const auto choose = [&] {
        ServerPool::Choice choice = pool_.choose();
        if (choice.server == own.server)
            choice.not_before = std::max(choice.not_before, own.not_before);
        return choice;
    };
    // While we wait, another watch may find out more about the servers: what counts is the choice at the end.
    ServerPool::Choice choice = choose();
    while (choice.not_before > Clock::now()) {
        co_await sleep_until(context_, choice.not_before);
        choice = choose();
    }
    Link link;
    link.server = choice.server;
    link.began = Clock::now();
    auto identity = co_await credentials_.current();
    if (!identity) {
        failed(link, {});
        co_return tl::unexpected(Trouble{Trouble::Cause::credentials, identity.error()});
    }
    link.bearer_token = std::move(identity->bearer_token);
    link.connection = std::make_unique<HttpConnection>(context_.get_executor(), servers_[link.server], identity->tls);
    const std::string problem = co_await link.connection->connect();
    if (!problem.empty()) {
        failed(link, {});
        co_return tl::unexpected(Trouble{Trouble::Cause::unreachable, name(link.server) + ": " + problem});
    }
    if (const auto peer = link.connection->peer(); peer && hooks_.connected)
        hooks_.connected(*peer);
    co_return link;
}

asio::awaitable<void> ApiClient::renew(Link& link) {
    auto identity = co_await credentials_.current();
    if (identity)
        link.bearer_token = std::move(identity->bearer_token);
}

asio::awaitable<tl::expected<Link, std::string>> ApiClient::link_for_request() {
    if (auto kept = std::exchange(idle_, std::nullopt); kept && kept->connection->reusable()) {
        co_await renew(*kept);
        co_return std::move(*kept);
    }
    auto link = co_await connect();
    if (!link)
        co_return tl::unexpected(link.error().words);
    co_return std::move(*link);
}

asio::awaitable<tl::expected<ApiAnswer, std::string>> ApiClient::request(std::string method, std::string path,
                                                                         std::string body, RequestForm form) {
    auto link = co_await link_for_request();
    if (!link)
        co_return tl::unexpected(link.error());
    HttpRequest request;
    request.method = method;
    request.target = std::move(path);
    request.bearer_token = link->bearer_token;
    request.accept = other_format;
    request.answer_within = form.answer_within;
    if (!body.empty() && !form.content_type.empty())
        request.content_type = form.content_type;
    else if (!body.empty())
        request.content_type = method == "PATCH" ? "application/merge-patch+json" : "application/json";
    request.body = std::move(body);
    const auto head = co_await link->connection->send(std::move(request));
    count(method, head ? std::optional(head->status) : std::nullopt);
    if (!head)
        co_return tl::unexpected(head.error());
    if (head->status == 401)
        refused_credentials(link->bearer_token);
    ApiAnswer answer{head->status, {}, head->retry_after, false};
    while (!answer.whole && answer.body.size() <= longest_answer) {
        const auto bytes = co_await link->connection->read(answer_silence);
        if (!bytes)
            break;
        answer.body += *bytes;
        answer.whole = bytes->empty();
    }
    if (answer.whole && link->connection->reusable())
        idle_ = std::move(*link);
    co_return answer;
}

void ApiClient::count(const std::string& verb, const std::optional<unsigned>& status) const {
    if (hooks_.request)
        hooks_.request(verb, status ? std::to_string(*status) : "<error>");
}

void ApiClient::failed(const Link& link, std::chrono::seconds retry_after) {
    pool_.failed(link.server, link.began, Clock::now(), jitter(), retry_after);
}

void ApiClient::succeeded(const Link& link) {
    pool_.succeeded(link.server, Clock::now());
}

}  // namespace api
