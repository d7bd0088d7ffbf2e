#include "fake_api_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <memory>

namespace asio = boost::asio;
using asio::ip::tcp;

struct FakeApiServer::Connection {
    explicit Connection(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    std::string watched;  // the path, when a watch is open
};

namespace {

std::string chunk(const std::string& text) {
    char size[20];
    std::snprintf(size, sizeof(size), "%zx\r\n", text.size());
    return size + text + "\r\n";
}

/// The header's value in the head of a request; empty: it is not there.
std::string header(const std::string& head, const std::string& name) {
    const std::string begin = "\r\n" + name + ": ";
    const std::size_t at = head.find(begin);
    return at == std::string::npos ? "" : head.substr(at + begin.size(), head.find('\r', at + 2) - at - begin.size());
}

}  // namespace

FakeApiServer::FakeApiServer(asio::io_context& context) : acceptor_(context, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(context, accept(), asio::detached);
}

std::size_t FakeApiServer::count(const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), [&](const std::string& request) {
        return request.find(part) != std::string::npos;
    }));
}

asio::awaitable<void> FakeApiServer::accept() {
    for (;;) {
        auto connection = std::make_shared<Connection>(co_await acceptor_.async_accept(asio::use_awaitable));
        connections_.push_back(connection);
        ++connected;
        asio::co_spawn(acceptor_.get_executor(), converse(connection), asio::detached);
    }
}

FakeAnswer FakeApiServer::next(const std::string& path) {
    auto& answers = script[path];
    if (answers.empty())
        return {404, R"({"kind":"Status","code":404,"message":"no script for )" + path + "\"}", "", false, false};
    const FakeAnswer answer = answers.front();
    if (answers.size() > 1)
        answers.erase(answers.begin());
    return answer;
}

asio::awaitable<void> FakeApiServer::converse(std::shared_ptr<Connection> connection) {
    std::string buffer;
    for (;;) {
        boost::system::error_code error;
        const std::size_t size =
            co_await asio::async_read_until(connection->socket, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                            asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
        const std::string line = buffer.substr(0, buffer.find(" HTTP"));
        const std::string head = buffer.substr(0, size);
        accepted.push_back(header(head, "Accept"));
        const std::string length = header(head, "Content-Length");
        const std::size_t body = length.empty() ? 0 : std::stoul(length);
        buffer.erase(0, size);
        if (buffer.size() < body)
            co_await asio::async_read(connection->socket, asio::dynamic_buffer(buffer),
                                      asio::transfer_exactly(body - buffer.size()),
                                      asio::redirect_error(asio::use_awaitable, error));
        if (body > 0)
            bodies.push_back(header(head, "Content-Type") + ": " + buffer.substr(0, body));
        buffer.erase(0, body);
        requests.push_back(line);
        const std::string target = line.substr(line.find(' ') + 1);
        const std::string path =
            target.substr(0, target.find('?')) + (target.find("watch=1") == std::string::npos ? "" : "?watch");
        const FakeAnswer answer = next(path);
        std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " X\r\n" + answer.headers;
        if (answer.keep_open || answer.cut)
            text += "Transfer-Encoding: chunked\r\n\r\n" + (answer.body.empty() ? "" : chunk(answer.body));
        else
            text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
        connection->watched = answer.keep_open ? path : "";
        co_await asio::async_write(connection->socket, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, error));
        if (answer.cut)
            connection->socket.close(error);
        if (error || answer.cut)
            co_return;
    }
}

void FakeApiServer::send(const std::string& path, const std::string& events) {
    for (const auto& connection : connections_)
        if (connection->watched == path && connection->socket.is_open()) {
            boost::system::error_code ignored;
            asio::write(connection->socket, asio::buffer(chunk(events)), ignored);
        }
}

void FakeApiServer::hang_up() {
    for (const auto& connection : connections_) {
        boost::system::error_code ignored;
        connection->socket.close(ignored);
    }
    connections_.clear();
}
