// One request and its answer: real sockets on loopback, a server that follows a script.
#include "api/cluster/api_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include "fake_api_server.hpp"
#include "tests/support/patience.hpp"

using namespace api;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";

struct World {
    asio::io_context context{1};
    FakeApiServer server{context};
    std::vector<std::string> counted;
    ApiHooks hooks;
    std::unique_ptr<ApiClient> client;

    World() {
        hooks.request = [this](const std::string& verb, const std::string& code) {
            counted.push_back(verb + " " + code);
        };
        Access access;
        access.servers = {server.url()};
        access.token = "secret";
        client = std::make_unique<ApiClient>(context, std::move(access), hooks);
    }

    /// "201: the body", "409: ... (not whole)", "no answer: why".
    std::string ask(const std::string& method, const std::string& path, const std::string& body = {}) {
        std::string text;
        asio::co_spawn(context, client->request(method, path, body),
                       [&](const std::exception_ptr&, const tl::expected<ApiAnswer, std::string>& answer) {
                           text = answer ? std::to_string(answer->status) + ": " + answer->body +
                                               (answer->whole ? "" : " (not whole)")
                                         : "no answer: " + answer.error();
                       });
        const auto deadline = std::chrono::steady_clock::now() + testing::patience(20s);
        while (text.empty() && std::chrono::steady_clock::now() < deadline)
            context.run_one_for(50ms);
        return text;
    }
};

}  // namespace

TEST_CASE("a request has an answer, whatever its status") {
    World world;
    world.server.script[leases] = {{201, "made", "", false, false}, {409, "is there", "", false, false}};
    CHECK(world.ask("POST", leases, "{}") == "201: made");
    CHECK(world.ask("POST", leases, "{}") == "409: is there");
    CHECK(world.ask("GET", "/none").starts_with("404: "));
    CHECK(world.server.requests == std::vector<std::string>{"POST " + leases, "POST " + leases, "GET /none"});
    CHECK(world.counted == std::vector<std::string>{"POST 201", "POST 409", "GET 404"});
    CHECK(world.server.connected == 1);
    world.client->hang_up();
    CHECK(world.ask("DELETE", leases) == "409: is there");
    CHECK(world.server.connected == 2);
}

TEST_CASE("a body has the type that its method asks for") {
    World world;
    world.server.script[leases] = {{200, "", "", false, false}};
    world.ask("PUT", leases, "{1}");
    world.ask("PATCH", leases, "{2}");
    world.ask("GET", leases);
    CHECK(world.server.bodies ==
          std::vector<std::string>{"application/json: {1}", "application/merge-patch+json: {2}"});
}

TEST_CASE("an answer that breaks off is said, and its connection is not used again") {
    World world;
    world.server.script[leases] = {{200, "half", "", false, true}, {200, "all", "", false, false}};
    CHECK(world.ask("GET", leases) == "200: half (not whole)");
    CHECK(world.ask("GET", leases) == "200: all");
    CHECK(world.server.connected == 2);
}

TEST_CASE("an answer without an end is left") {
    World world;
    world.server.script[leases] = {{200, std::string(ApiClient::longest_answer + 1, 'x'), "", false, false}};
    CHECK(world.ask("GET", leases).ends_with(" (not whole)"));
    CHECK(world.ask("GET", "/none").starts_with("404: "));
}

TEST_CASE("no server is no answer, in words") {
    World world;
    boost::system::error_code ignored;
    asio::io_context elsewhere;
    asio::ip::tcp::acceptor closed(elsewhere, {asio::ip::address_v4::loopback(), 0});
    const auto port = closed.local_endpoint().port();
    closed.close(ignored);
    Access access;
    access.servers = {"http://127.0.0.1:" + std::to_string(port)};
    world.client = std::make_unique<ApiClient>(world.context, std::move(access), world.hooks);
    CHECK(world.ask("GET", leases) ==
          "no answer: http://127.0.0.1:" + std::to_string(port) + ": connect: Connection refused");
}
