// The listeners of health check ports, on loopback addresses.
#include "proxy/serve/health_server.hpp"
#include "base/asio_address.hpp"
#include "proxy/serve/health_reply.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include "proxy/engine/health_ports.hpp"
#include "tests/support/patience.hpp"
#include "tests/unit/proxy/build.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

const Address one = build::address("127.0.0.1");
const Address two = build::address("127.0.0.2");

struct World {
    boost::asio::io_context io;
    std::map<std::uint16_t, HealthPort> ports;
    HealthServer server{io.get_executor(),
                        [this](std::uint16_t port) -> std::optional<Reply> {
                            const auto found = ports.find(port);
                            return found == ports.end() ? std::nullopt
                                                        : std::optional(health_reply(found->second, true));
                        },
                        [this] { ++changes; }, 5ms};
    int changes = 0;  // of failures, that follow() has not said

    bool follow(std::set<std::uint16_t> touched, std::vector<Address> addresses) {
        return server.follow(touched, [this](std::uint16_t port) { return ports.contains(port); }, addresses);
    }

    std::string converse(tcp::socket& client, const std::string& request) {
        boost::system::error_code error;
        boost::asio::write(client, boost::asio::buffer(request), error);
        client.non_blocking(true);
        std::string answer;
        const auto deadline = std::chrono::steady_clock::now() + testing::patience(5s);
        while (!error && std::chrono::steady_clock::now() < deadline) {
            io.restart();
            io.run_for(2ms);
            char bytes[4096];
            answer.append(bytes, client.read_some(boost::asio::buffer(bytes), error));
            if (error == boost::asio::error::would_block)
                error = {};
            if (answer.ends_with("}"))
                break;
        }
        return answer;
    }

    /// Without another request.
    bool is_closed(tcp::socket& client) {
        boost::system::error_code error;
        const auto deadline = std::chrono::steady_clock::now() + testing::patience(5s);
        do {
            io.restart();
            io.run_for(2ms);
            char byte = 0;
            client.read_some(boost::asio::buffer(&byte, 1), error);
        } while (error == boost::asio::error::would_block && std::chrono::steady_clock::now() < deadline);
        return error == boost::asio::error::eof || error == boost::asio::error::connection_reset;
    }

    /// "refused", or the answer to one request.
    std::string ask(const Address& address, std::uint16_t port,
                    const std::string& request = "POST /any/path?at=all HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi") {
        tcp::socket client(io);
        boost::system::error_code error;
        client.connect({base::to_asio(address), port}, error);
        return error ? "refused" : converse(client, request);
    }
};

std::uint16_t free_port() {
    boost::asio::io_context io;
    return tcp::acceptor(io, {base::to_asio(one), 0}).local_endpoint().port();
}

}  // namespace

TEST_CASE("a port is answered on every address, whatever the method and path, until its Service goes") {
    World world;
    const std::uint16_t port = free_port();
    world.ports[port] = {{"shop", "web"}, 2};
    CHECK_FALSE(world.follow({port}, {one, two}));
    for (const Address& address : {one, two}) {
        const std::string answer = world.ask(address, port);
        CHECK_THAT(answer, Catch::StartsWith("HTTP/1.0 200 OK\r\n"));
        CHECK_THAT(answer, Catch::Contains("\r\nContent-Type: application/json\r\n"));
        CHECK_THAT(answer, Catch::Contains("\r\nX-Content-Type-Options: nosniff\r\n"));
        CHECK_THAT(answer, Catch::Contains("\r\nX-Load-Balancing-Endpoint-Weight: 2\r\n"));
        CHECK_THAT(answer, Catch::EndsWith("\r\n\r\n" + health_reply(world.ports[port], true).body));
    }
    tcp::socket kept(world.io);
    kept.connect({base::to_asio(one), port});
    CHECK_THAT(world.converse(kept, "GET / HTTP/1.1\r\n\r\n"), Catch::StartsWith("HTTP/1.1 200"));
    world.ports.clear();
    CHECK_FALSE(world.follow({port}, {one, two}));
    CHECK(world.ask(one, port) == "refused");
    CHECK(world.is_closed(kept));
}

TEST_CASE("listeners follow the addresses, and those that stay are not interrupted") {
    World world;
    const std::uint16_t port = free_port();
    world.ports[port] = {{"shop", "web"}, 0};
    world.follow({port}, {one});
    CHECK(world.ask(two, port) == "refused");
    tcp::socket waiting(world.io);  // accepted by the kernel, not yet by us
    waiting.connect({base::to_asio(one), port});
    world.follow({}, {one, two});
    CHECK_THAT(world.ask(two, port), Catch::StartsWith("HTTP/1.0 503"));
    CHECK_THAT(world.converse(waiting, "GET / HTTP/1.0\r\n\r\n"), Catch::StartsWith("HTTP/1.0 503"));
    world.follow({}, {two});
    CHECK(world.ask(one, port) == "refused");
    CHECK_THAT(world.ask(two, port), Catch::StartsWith("HTTP/1.0 503"));
}

TEST_CASE("a port that somebody has is a failure that is told once, tried again, and gone when it is free") {
    World world;
    std::optional<tcp::acceptor> other(std::in_place, world.io, tcp::endpoint(base::to_asio(two), 0));
    const std::uint16_t port = other->local_endpoint().port();
    world.ports[port] = {{"shop", "web"}, 1};
    CHECK(world.follow({port}, {one, two}));
    REQUIRE(world.server.failures().size() == 1);
    CHECK_THAT(world.server.failures()[0].text,
               Catch::StartsWith("spec.healthCheckNodePort: 127.0.0.2:" + std::to_string(port) +
                                 " cannot be listened on: Address already in use"));
    CHECK_THAT(world.ask(one, port), Catch::StartsWith("HTTP/1.0 200"));  // the other address is answered all the same
    CHECK_FALSE(world.follow({}, {one, two}));
    world.io.restart();
    world.io.run_for(20ms);
    CHECK(world.changes == 0);
    other.reset();
    const auto deadline = std::chrono::steady_clock::now() + testing::patience(5s);
    while (world.changes == 0 && std::chrono::steady_clock::now() < deadline) {
        world.io.restart();
        world.io.run_for(5ms);
    }
    CHECK(world.changes == 1);
    CHECK(world.server.failures().empty());
    CHECK_FALSE(world.follow({}, {one, two}));
    CHECK_THAT(world.ask(two, port), Catch::StartsWith("HTTP/1.0 200"));
}

TEST_CASE("a failure goes with its Service") {
    World world;
    const tcp::acceptor other(world.io, tcp::endpoint(base::to_asio(one), 0));
    const std::uint16_t port = other.local_endpoint().port();
    world.ports[port] = {{"shop", "web"}, 1};
    CHECK(world.follow({port}, {one}));
    world.ports.clear();
    CHECK(world.follow({port}, {one}));
    CHECK(world.server.failures().empty());
    world.io.restart();
    world.io.run_for(20ms);  // a listener that is gone says nothing more
    CHECK(world.changes == 0);
}

TEST_CASE("a failure goes with its address") {
    World world;
    const tcp::acceptor other(world.io, tcp::endpoint(base::to_asio(two), 0));
    const std::uint16_t port = other.local_endpoint().port();
    world.ports[port] = {{"shop", "web"}, 1};
    CHECK(world.follow({port}, {one, two}));
    CHECK(world.follow({}, {one}));
    CHECK(world.server.failures().empty());
}
