// What visitors of a listener may cost: connections, bytes, descriptors.
#include "proxy/serve/admin.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>
#include <list>

#include "base/error_words.hpp"
#include "proxy/host/descriptors.hpp"

using namespace proxy;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

struct Client {
    tcp::socket socket;
    std::string answer;
    bool closed = false;

    void send(const std::string& text) {
        boost::system::error_code ignored;
        asio::write(socket, asio::buffer(text), ignored);
    }
    void look() {
        char bytes[4096];
        boost::system::error_code error;
        for (std::size_t size = 1; size > 0 && !error;) {
            size = socket.read_some(asio::buffer(bytes), error);
            answer.append(bytes, size);
        }
        closed = closed || (error && error != asio::error::would_block);
    }
};

struct World {
    asio::io_context io;
    Pages pages{
        {"/page", [] { return Reply{200, "text/plain", "hello"}; }},
        {"/echo", [](const PageRequest& request) { return Reply{200, "text/plain", request.query.at("name")}; }},
        {"/stream", [this] { return counting(); }}};
    tcp::endpoint where;
    std::list<Client> clients;

    /// Three pieces, of which the first is there at once.
    Reply counting() {
        Reply reply{200, "text/plain", "one "};
        reply.more = [left = 2]() mutable -> asio::awaitable<std::string> {
            const std::string pieces[] = {"", "three ", "two "};
            co_return left < 0 ? "" : pieces[static_cast<std::size_t>(left--)];
        };
        return reply;
    }

    World() {
        const auto acceptor = std::make_shared<tcp::acceptor>(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        where = acceptor->local_endpoint();
        asio::co_spawn(io, serve(acceptor, handler_of(pages)), asio::detached);
        io.poll();
    }
    Client& connect() {
        tcp::socket socket(io);
        socket.connect(where);
        socket.non_blocking(true);
        return clients.emplace_back(Client{std::move(socket), "", false});
    }
    template <class Condition>
    bool becomes(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < deadline) {
            io.restart();
            io.run_for(5ms);
            for (Client& client : clients)
                client.look();
        }
        return condition();
    }
    std::ptrdiff_t open() const {
        return std::count_if(clients.begin(), clients.end(), [](const Client& client) { return !client.closed; });
    }
};

const std::string get = "GET /page HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a listener has 100 visitors at most; one more takes the place of who has waited longest") {
    raise_descriptor_limit();
    World world;
    for (int i = 0; i < 150; ++i) {
        world.connect();
        world.io.restart();
        world.io.poll();
    }
    CHECK(world.becomes([&] { return world.open() == 100; }));
    CHECK(world.clients.front().closed);
    CHECK_FALSE(world.clients.back().closed);
    Client& late = world.connect();
    late.send(get);
    CHECK(world.becomes([&] { return late.answer.ends_with("hello"); }));
}

TEST_CASE("a body is not read: the answer comes without it, and the connection ends") {
    World world;
    Client& client = world.connect();
    client.send("POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    CHECK(world.becomes([&] { return client.answer.find("\r\n\r\n") != std::string::npos; }));
    CHECK_THAT(client.answer, Catch::StartsWith("HTTP/1.1 405 ") && Catch::Contains("Connection: close"));
    CHECK(world.becomes([&] { return client.closed; }));
    Client& chunked = world.connect();
    chunked.send("GET /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(world.becomes([&] { return chunked.closed; }));
    CHECK_THAT(chunked.answer, Catch::EndsWith("hello"));
}

TEST_CASE("a connection is kept for the next request, and a header that is too long ends it") {
    World world;
    Client& client = world.connect();
    for (int i = 0; i < 3; ++i) {
        client.answer.clear();
        client.send(get);
        REQUIRE(world.becomes([&] { return client.answer.ends_with("hello"); }));
    }
    CHECK_FALSE(client.closed);
    client.send("GET /page HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
    CHECK(world.becomes([&] { return client.closed; }));
}

TEST_CASE("a page is asked with its query") {
    World world;
    Client& client = world.connect();
    client.send("GET /echo?name=shop%2Fweb HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(world.becomes([&] { return client.answer.ends_with("\r\n\r\nshop/web"); }));
}

TEST_CASE("a stream comes piece by piece, and ends its connection") {
    World world;
    Client& client = world.connect();
    client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(world.becomes([&] { return client.closed; }));
    CHECK_THAT(client.answer, Catch::Contains("Transfer-Encoding: chunked") &&
                                  Catch::EndsWith("\r\n4\r\none \r\n4\r\ntwo \r\n6\r\nthree \r\n0\r\n\r\n"));
    Client& old = world.connect();
    old.send("GET /stream HTTP/1.0\r\n\r\n");
    CHECK(world.becomes([&] { return old.closed; }));
    CHECK_THAT(old.answer, Catch::EndsWith("\r\n\r\none two three "));
    Client& head = world.connect();
    head.send("HEAD /stream HTTP/1.0\r\n\r\n");
    CHECK(world.becomes([&] { return head.closed; }));
    CHECK_THAT(head.answer, Catch::EndsWith("\r\n\r\n"));
}

TEST_CASE("without descriptors nothing is accepted, calmly, and again when there are some") {
    World world;
    for (int i = 0; i < 3; ++i)
        world.connect().send(get);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next = ::open("/dev/null", O_RDONLY);
    REQUIRE(next > 0);
    ::close(next);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(next);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    world.io.restart();
    const std::size_t turns = world.io.run_for(500ms);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(turns < 20);
    CHECK(world.becomes([&] {
        return std::all_of(world.clients.begin(), world.clients.end(),
                           [](const Client& client) { return client.answer.ends_with("hello"); });
    }));
}

TEST_CASE("some descriptors are not for visitors") {
    struct Row {
        int descriptor;
        std::size_t limit;
        bool kept;
    };
    const auto row = GENERATE(values<Row>({
        {10, 1024, true},
        {767, 1024, true},
        {768, 1024, false},
        {1023, 1024, false},
        {31, 64, true},
        {32, 64, false},
        {-1, 1024, false},
        {100'000, 524'288, true},
    }));
    CAPTURE(row.descriptor, row.limit);
    CHECK(leaves_reserve(row.descriptor, row.limit) == row.kept);
}

TEST_CASE("an error is told in its own words, without the place in the source") {
    const boost::system::error_code busy = asio::error::address_in_use;
    static constexpr boost::source_location place = BOOST_CURRENT_LOCATION;
    const boost::system::error_code located(busy, &place);
    CHECK(base::words_of(boost::system::system_error(busy)) == "Address already in use");
    CHECK(base::words_of(boost::system::system_error(located)) == "Address already in use");
    CHECK(base::words_of(boost::system::system_error(located, "bind")) == "bind: Address already in use");
    CHECK(base::words_of(std::runtime_error("a sentence [with brackets]")) == "a sentence [with brackets]");
}
