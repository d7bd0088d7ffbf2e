#include "proxy/serve/admin.hpp"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "proxy/host/descriptors.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;

constexpr std::size_t most_visitors = 100;  // of one listener
constexpr std::uint32_t longest_header = 8 * 1024;
constexpr auto first_limit = 10s;    // from the connection to the end of its first request
constexpr auto idle_limit = 30s;     // to the end of the next one
constexpr auto reading_limit = 30s;  // for reading an answer
constexpr auto goodbye_limit = 1s;   // for a body that nobody reads
constexpr std::size_t goodbye_bytes = std::size_t{256} * 1024;
constexpr auto accept_retry = 1s;

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

template <class Message>
void set_head(Message& message, const Reply& reply) {
    message.result(static_cast<http::status>(reply.status));
    message.set(http::field::server, "podferry/" PODFERRY_VERSION);
    message.set(http::field::content_type, reply.content_type);
    message.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : reply.headers)
        message.set(name, value);
}

Response response_to(const Request& request, Reply reply, bool keep) {
    Response response;
    response.version(request.version());
    set_head(response, reply);
    response.keep_alive(keep && request.keep_alive());
    response.body() = std::move(reply.body);
    response.prepare_payload();
    if (request.method() == http::verb::head)
        response.body().clear();
    return response;
}

template <class Protocol>
using Stream = beast::basic_stream<Protocol, asio::any_io_executor>;

template <class Protocol>
struct Visitor {
    explicit Visitor(typename Protocol::socket socket) : stream(std::move(socket)) {}
    Stream<Protocol> stream;
    bool waits = true;  // for a request: nobody but the visitor misses anything when it is closed
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

/// A body is not read, but the visitor may go on sending it for a moment, or the reset would overtake the answer.
template <class Protocol>
asio::awaitable<void> say_goodbye(std::shared_ptr<Visitor<Protocol>> visitor) {
    boost::system::error_code error;
    visitor->stream.socket().shutdown(Protocol::socket::shutdown_send, error);
    visitor->stream.expires_after(goodbye_limit);
    std::array<char, 4096> bytes{};
    for (std::size_t read = 0; !error && read < goodbye_bytes;)
        read += co_await visitor->stream.async_read_some(asio::buffer(bytes),
                                                         asio::redirect_error(asio::use_awaitable, error));
}

/// Ends the connection: whoever reads a stream asks nothing after it.
template <class Protocol>
asio::awaitable<void> send_stream(std::shared_ptr<Visitor<Protocol>> visitor, unsigned version, Reply reply) {
    Stream<Protocol>& stream = visitor->stream;
    boost::system::error_code error;
    http::response<http::empty_body> head;
    head.version(version);
    set_head(head, reply);
    head.chunked(version >= 11);  // before that, the end of the connection is the stream's
    head.keep_alive(false);
    http::response_serializer<http::empty_body> serializer(head);
    stream.expires_after(reading_limit);
    co_await http::async_write_header(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
    std::string piece = std::move(reply.body);
    if (piece.empty() && !error)
        piece = co_await reply.more();
    while (!piece.empty() && !error) {
        stream.expires_after(reading_limit);
        if (head.chunked())
            co_await asio::async_write(stream, http::make_chunk(asio::buffer(piece)),
                                       asio::redirect_error(asio::use_awaitable, error));
        else
            co_await asio::async_write(stream, asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
        if (error)
            break;
        visitor->waits = true;  // for the next piece: who has waited longest makes room for others
        visitor->since = std::chrono::steady_clock::now();
        stream.expires_never();
        piece = co_await reply.more();
        visitor->waits = false;
    }
    if (!error && head.chunked())
        co_await asio::async_write(stream, http::make_chunk_last(), asio::redirect_error(asio::use_awaitable, error));
}

template <class Protocol>
asio::awaitable<void> converse(std::shared_ptr<Visitor<Protocol>> visitor, Handler handler) {
    Stream<Protocol>& stream = visitor->stream;
    beast::flat_buffer buffer(2 * std::size_t{longest_header});
    boost::system::error_code error;
    for (bool first = true;; first = false) {
        http::request_parser<http::empty_body> parser;
        parser.header_limit(longest_header);
        parser.body_limit(boost::none);
        visitor->waits = true;
        visitor->since = std::chrono::steady_clock::now();
        stream.expires_after(first ? std::chrono::seconds(first_limit) : idle_limit);
        co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
        visitor->waits = false;
        const Request& request = parser.get();
        auto reply = co_await handler(parse_target(request.method_string(), request.target()));
        if (!reply)
            co_return;
        if (reply->more && request.method() != http::verb::head)
            co_return co_await send_stream<Protocol>(visitor, request.version(), std::move(*reply));
        const Response response = response_to(parser.get(), std::move(*reply), parser.is_done());
        stream.expires_after(reading_limit);
        co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
        if (!error && !parser.is_done())
            co_await say_goodbye<Protocol>(visitor);
        if (error || response.need_eof())
            co_return;
    }
}

/// Those who are there now, at one listener.
template <class Protocol>
class Visitors {
public:
    /// Makes room when there are too many, here or in the whole process: who has waited longest without asking
    /// anything goes, or else who came first. Null: there is no room to be made.
    std::shared_ptr<Visitor<Protocol>> admit(typename Protocol::socket socket) {
        std::erase_if(all_, [](const auto& visitor) { return visitor.expired(); });
        const bool room = all_.size() < most_visitors && leaves_reserve(socket.native_handle(), descriptor_limit());
        if (!room && !dismiss_one())
            return nullptr;
        auto visitor = std::make_shared<Visitor<Protocol>>(std::move(socket));
        all_.push_back(visitor);
        return visitor;
    }

    bool dismiss_one() {
        std::shared_ptr<Visitor<Protocol>> chosen;
        for (const auto& weak : all_)
            if (const auto visitor = weak.lock(); visitor && visitor->stream.socket().is_open())
                if (!chosen || std::pair(!visitor->waits, visitor->since) < std::pair(!chosen->waits, chosen->since))
                    chosen = visitor;
        if (chosen)
            chosen->stream.close();
        return chosen != nullptr;
    }

    void dismiss_all() {
        for (const auto& weak : all_)
            if (const auto visitor = weak.lock())
                visitor->stream.close();
    }

private:
    std::vector<std::weak_ptr<Visitor<Protocol>>> all_;
};

template <class Protocol>
asio::awaitable<void> serve_on(std::shared_ptr<typename Protocol::acceptor> acceptor, Handler handler) {
    asio::steady_timer pause(acceptor->get_executor());
    Visitors<Protocol> visitors;
    for (;;) {
        boost::system::error_code error;
        auto socket = co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted || !acceptor->is_open()) {
            visitors.dismiss_all();
            co_return;
        }
        if (error) {  // out of descriptors, for one
            visitors.dismiss_one();
            pause.expires_after(accept_retry);
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        if (auto visitor = visitors.admit(std::move(socket)))
            asio::co_spawn(acceptor->get_executor(), converse<Protocol>(std::move(visitor), handler), asio::detached);
    }
}

}  // namespace

asio::awaitable<void> serve(std::shared_ptr<asio::ip::tcp::acceptor> acceptor, Handler handler) {
    return serve_on<asio::ip::tcp>(std::move(acceptor), std::move(handler));
}

asio::awaitable<void> serve(std::shared_ptr<asio::local::stream_protocol::acceptor> acceptor, Handler handler) {
    return serve_on<asio::local::stream_protocol>(std::move(acceptor), std::move(handler));
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
    co_return Reply{static_cast<int>(response.result_int()), std::string(response[http::field::content_type]),
                    response.body()};
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
