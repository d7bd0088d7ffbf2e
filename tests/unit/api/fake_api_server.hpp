// An API server made of a script: each connection is answered by the next act, on 127.0.0.1, inside the same event
// loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

/// What one request gets. `path` is without its query.
struct FakeAnswer {
    int status = 200;
    std::string body;
    std::string headers;     ///< "Retry-After: 1\r\n"
    bool keep_open = false;  ///< a watch: the body does not end
    bool cut = false;        ///< the connection is closed in the midst of the body
};

class FakeApiServer {
public:
    explicit FakeApiServer(boost::asio::io_context& context);

    /// The answers to a path's requests, one after the other; the last one is given again and again.
    std::map<std::string, std::vector<FakeAnswer>> script;

    /// "GET /api/v1/services?..." of all requests so far.
    std::vector<std::string> requests;
    /// The Accept header of each of them.
    std::vector<std::string> accepted;
    /// "Content-Type: ..." and the body of each that had one.
    std::vector<std::string> bodies;
    /// Connections so far.
    std::size_t connected = 0;
    /// How many requests there were whose text holds this.
    std::size_t count(const std::string& part) const;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

    /// To all watches of a path that are open.
    void send(const std::string& path, const std::string& events);
    /// Closes all connections.
    void hang_up();

private:
    struct Connection;
    boost::asio::awaitable<void> accept();
    boost::asio::awaitable<void> converse(std::shared_ptr<Connection> connection);
    FakeAnswer next(const std::string& path);

    boost::asio::ip::tcp::acceptor acceptor_;
    std::vector<std::shared_ptr<Connection>> connections_;
};
