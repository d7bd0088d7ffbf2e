#include "proxy/admin.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace proxy {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;

constexpr auto idle_limit = 30s;
constexpr auto listen_retry = 5s;

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
using AnswerTo = std::function<std::optional<Reply>(const Request&)>;

Reply page_for(const Request& request, const Pages& pages) {
    if (request.method() != http::verb::get && request.method() != http::verb::head)
        return {405, "text/plain", "only GET and HEAD are answered here\n"};
    const auto target = request.target();
    const std::string_view path(target.data(), std::min(target.find('?'), target.size()));
    const auto page = pages.find(path);
    if (page == pages.end()) {
        std::string body = "no such page; there are:\n";
        for (const auto& [name, make] : pages)
            body += "  " + name + "\n";
        return {404, "text/plain; charset=utf-8", body};
    }
    return page->second();
}

Response response_to(const Request& request, Reply reply) {
    Response response(static_cast<http::status>(reply.status), request.version());
    response.set(http::field::server, "podferry/" PODFERRY_VERSION);
    response.set(http::field::content_type, reply.content_type);
    response.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : reply.headers)
        response.set(name, value);
    response.keep_alive(request.keep_alive());
    response.body() = std::move(reply.body);
    response.prepare_payload();
    if (request.method() == http::verb::head)
        response.body().clear();
    return response;
}

template <class Protocol>
using Stream = beast::basic_stream<Protocol, asio::any_io_executor>;

template <class Protocol>
asio::awaitable<void> converse(std::shared_ptr<Stream<Protocol>> connection, AnswerTo answer) {
    Stream<Protocol>& stream = *connection;
    beast::flat_buffer buffer;
    boost::system::error_code error;
    for (;;) {
        Request request;
        stream.expires_after(idle_limit);
        co_await http::async_read(stream, buffer, request, asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
        auto reply = answer(request);
        if (!reply)
            co_return;
        const Response response = response_to(request, std::move(*reply));
        stream.expires_after(idle_limit);
        co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
        if (error || response.need_eof())
            co_return;
    }
}

template <class Protocol>
asio::awaitable<void> serve_on(std::shared_ptr<typename Protocol::acceptor> acceptor, AnswerTo answer) {
    asio::steady_timer pause(acceptor->get_executor());
    std::vector<std::weak_ptr<Stream<Protocol>>> connections;
    for (;;) {
        boost::system::error_code error;
        auto socket = co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
        std::erase_if(connections, [](const auto& connection) { return connection.expired(); });
        if (error == asio::error::operation_aborted || !acceptor->is_open()) {
            for (const auto& connection : connections)
                connection.lock()->close();
            co_return;
        }
        if (error) {  // out of descriptors, for one
            pause.expires_after(1s);
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        auto connection = std::make_shared<Stream<Protocol>>(std::move(socket));
        connections.push_back(connection);
        asio::co_spawn(acceptor->get_executor(), converse<Protocol>(std::move(connection), answer), asio::detached);
    }
}

template <class Protocol>
asio::awaitable<void> serve_pages(typename Protocol::acceptor acceptor, const Pages& pages) {
    return serve_on<Protocol>(std::make_shared<typename Protocol::acceptor>(std::move(acceptor)),
                              [&pages](const Request& request) { return page_for(request, pages); });
}

}  // namespace

asio::awaitable<void> serve(asio::ip::tcp::acceptor acceptor, const Pages& pages) {
    return serve_pages<asio::ip::tcp>(std::move(acceptor), pages);
}

asio::awaitable<void> serve(asio::local::stream_protocol::acceptor acceptor, const Pages& pages) {
    return serve_pages<asio::local::stream_protocol>(std::move(acceptor), pages);
}

asio::awaitable<void> serve(std::shared_ptr<asio::ip::tcp::acceptor> acceptor, Answer answer) {
    return serve_on<asio::ip::tcp>(std::move(acceptor),
                                   [answer = std::move(answer)](const Request&) { return answer(); });
}

asio::awaitable<void> serve_when_free(asio::ip::tcp::endpoint where, const Pages& pages,
                                      std::function<void(const std::string&)> tell) {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer pause(executor);
    std::string told;
    for (;;) {
        std::optional<asio::ip::tcp::acceptor> acceptor;
        std::string problem;
        try {
            acceptor.emplace(executor, where);
        } catch (const boost::system::system_error& error) {
            problem = error.code().message();
        }
        if (problem != told)
            tell(problem);
        told = problem;
        if (acceptor)
            co_return co_await serve(std::move(*acceptor), pages);
        pause.expires_after(listen_retry);
        boost::system::error_code cancelled;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        if (cancelled)
            co_return;
    }
}

namespace {

asio::awaitable<Reply> fetch(std::string socket_path, std::string page) {
    Stream<asio::local::stream_protocol> stream(co_await asio::this_coro::executor);
    stream.expires_after(answer_limit);
    co_await stream.async_connect(asio::local::stream_protocol::endpoint(socket_path), asio::use_awaitable);
    http::request<http::empty_body> request(http::verb::get, page, 11);
    request.set(http::field::host, "podferry");
    co_await http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(std::uint64_t{256} << 20);
    co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
    const auto& response = parser.get();
    co_return Reply{
        static_cast<int>(response.result_int()), std::string(response[http::field::content_type]), response.body(), {}};
}

std::string why_unreachable(const boost::system::error_code& error) {
    if (error == asio::error::access_denied)
        return "permission denied; run it as root";
    if (error == beast::error::timeout)
        return "it has not answered within " + std::to_string(answer_limit.count()) + " s";
    if (error == http::error::end_of_stream || error == http::error::partial_message)
        return "it broke off its answer";
    return error.message() + "; is `podferry node` running here, and --socket the path of its configuration?";
}

}  // namespace

Reply ask(const std::string& socket_path, const std::string& page) {
    asio::io_context io;
    auto reply = asio::co_spawn(io, fetch(socket_path, page), asio::use_future);
    io.run();
    try {
        return reply.get();
    } catch (const boost::system::system_error& error) {
        throw Unreachable("no podferry answers on " + socket_path + " (" + why_unreachable(error.code()) + ")");
    }
}

}  // namespace proxy
