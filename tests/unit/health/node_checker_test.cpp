// Questions to nodes as they are sent, on loopback: what answers, what is silent, and what could not be asked.
#include "health/node_checker.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <cerrno>
#include <functional>
#include <vector>

#include "health/echo.hpp"

using namespace health;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A listener that can be swamped: its queue is longer than it may be then, and the kernel drops what asks, as if the
/// node were gone.
class Listener {
public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) == 0);
        answer();
        REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port = ntohs(address.sin_port);
        for (int& client : clients_) {
            client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&address), length) == 0);
        }
    }
    ~Listener() {
        for (const int client : clients_)
            ::close(client);
        ::close(socket_);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    void answer() const { REQUIRE(::listen(socket_, 4096) == 0); }
    void be_silent() const { REQUIRE(::listen(socket_, 0) == 0); }

    std::uint16_t port = 0;

private:
    int socket_;
    int clients_[4]{};
};

NodeCheckRules quick() {
    NodeCheckRules rules;
    rules.period = rules.rarely = 50ms;
    rules.patience = 20ms;
    rules.fast = 10ms;
    rules.suspect = 200ms;
    rules.dead = 600ms;
    return rules;
}

struct World {
    asio::io_context context;
    std::vector<NodeReport> reports;
    NodeChecker checker;

    explicit World(NodeCheckRules rules = {})
        : checker(context.get_executor(), [this](const NodeReport& report) { reports.push_back(report); }, rules) {}

    bool runs_until(const std::function<bool()>& condition) {
        const Time end = std::chrono::steady_clock::now() + 60s;
        while (!condition() && std::chrono::steady_clock::now() < end) {
            context.restart();
            context.run_for(10ms);
        }
        return condition();
    }
    bool becomes(NodeLife life) {
        return runs_until([&] { return !reports.empty() && reports.back().life == life; });
    }
};

/// A port of loopback at which nobody listens.
std::uint16_t closed_port(asio::io_context& context) {
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    return acceptor.local_endpoint().port();
}

boost::system::error_code error_of(int number) {
    return {number, boost::system::system_category()};
}

}  // namespace

TEST_CASE("in a large cluster each node is asked less often") {
    CHECK(period_of(0, {}) == 500ms);
    CHECK(period_of(250, {}) == 500ms);
    CHECK(period_of(251, {}) == 600ms);
    CHECK(period_of(1'000, {}) == 2s);
    CHECK(period_of(5'000, {}) == 10s);
}

TEST_CASE("only silence accuses: what an attempt to connect says") {
    CHECK(knocked({}) == Knocked::answered);
    for (const int answered : {ECONNREFUSED, ECONNRESET})
        CHECK(knocked(error_of(answered)) == Knocked::answered);
    for (const int silent : {ETIMEDOUT, EHOSTUNREACH})
        CHECK(knocked(error_of(silent)) == Knocked::silent);
    for (const int ours : {EPERM, EACCES, ENETUNREACH, ENOBUFS, ENOMEM, EMFILE, EADDRNOTAVAIL})
        CHECK(knocked(error_of(ours)) == Knocked::not_asked);
}

TEST_CASE("an echo request comes back as it was, and nothing else is taken for its answer") {
    const bool ipv6 = GENERATE(false, true);
    const Echo echo{0x1234567890abcdef, NodeCheck::Path::second, Time{} + 123456789ns};
    EchoBytes bytes = echo_request(ipv6, 7, echo);
    CHECK(bytes[0] == (ipv6 ? 128 : 8));
    CHECK(bytes[7] == 7);
    CHECK_FALSE(read_echo_reply(ipv6, bytes).has_value());  // it is a request
    bytes[0] = ipv6 ? 129 : 0;
    CHECK(read_echo_reply(ipv6, bytes) == echo);
    CHECK_FALSE(read_echo_reply(!ipv6, bytes).has_value());
    CHECK_FALSE(read_echo_reply(ipv6, std::span(bytes).first(bytes.size() - 1)).has_value());
    bytes[24] = 2;
    CHECK_FALSE(read_echo_reply(ipv6, bytes).has_value());
}

TEST_CASE("a refusal proves life, and so does a listener") {
    World world;
    asio::ip::tcp::acceptor listener(world.context, {asio::ip::address_v4::loopback(), 0});
    world.checker.set("n2", NodeTarget{base::make_address("127.0.0.1"),
                                       {closed_port(world.context), listener.local_endpoint().port()},
                                       false});
    CHECK(world.becomes(NodeLife::alive));
    CHECK(world.runs_until([&] { return world.checker.half_known() == 0; }));
}

TEST_CASE("a node that falls silent is suspect, then dead, and alive when it answers again") {
    World world(quick());
    const Listener one;
    const Listener two;
    world.checker.set("n2", NodeTarget{base::make_address("127.0.0.1"), {one.port, two.port}, false});
    REQUIRE(world.becomes(NodeLife::alive));
    REQUIRE(world.runs_until([&] { return world.checker.half_known() == 0; }));
    one.be_silent();
    two.be_silent();
    REQUIRE(world.becomes(NodeLife::dead));
    CHECK(world.reports.back().silent_since.has_value());
    REQUIRE(world.reports.size() == 3);
    CHECK(world.reports[1].life == NodeLife::suspect);
    one.answer();
    CHECK(world.becomes(NodeLife::alive));
    CHECK_FALSE(world.reports.back().silent_since.has_value());
    world.checker.set("n2", std::nullopt);
    one.be_silent();
    world.reports.clear();
    world.context.restart();
    world.context.run_for(500ms);
    CHECK(world.reports.empty());  // nobody asks it any more
    CHECK(world.checker.size() == 0);
}

TEST_CASE("a port whose listener is swamped accuses nobody while another way answers") {
    World world(quick());
    const Listener listener;
    world.checker.set("n2",
                      NodeTarget{base::make_address("127.0.0.1"), {listener.port, closed_port(world.context)}, false});
    REQUIRE(world.becomes(NodeLife::alive));
    REQUIRE(world.runs_until([&] { return world.checker.half_known() == 0; }));
    listener.be_silent();
    world.context.restart();
    world.context.run_for(1s);
    CHECK(world.reports.size() == 1);
}

TEST_CASE("questions that this host cannot ask accuse nobody") {
    World world(quick());
    world.checker.set("n2", NodeTarget{base::make_address("2001:db8::1"), {10256, 10249}, false});  // no route
    world.context.run_for(500ms);
    CHECK(world.reports.empty());
    CHECK(world.checker.half_known() == 1);
}
