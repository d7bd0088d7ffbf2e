// Whom we believe to be the API server: certificates made on the spot, a TLS server on loopback. Whoever is refused has
// not seen a byte of a request, nor its token.
#include "api/cluster/tls.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "certificates.hpp"

using namespace api;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr long hour = 3600;

struct Server {
    asio::ssl::context tls{asio::ssl::context::tls_server};
    tcp::acceptor acceptor;
    std::vector<std::string> requests;

    Server(asio::io_context& context, const certificates::Signed& as)
        : acceptor(context, {asio::ip::address_v4::loopback(), 0}) {
        tls.use_certificate(asio::buffer(as.pem()), asio::ssl::context::pem);
        tls.use_private_key(asio::buffer(as.key_pem()), asio::ssl::context::pem);
        asio::co_spawn(context, serve(), asio::detached);
    }

    asio::awaitable<void> serve() {
        boost::system::error_code error;
        asio::ssl::stream<tcp::socket> stream(
            co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error)), tls);
        co_await stream.async_handshake(asio::ssl::stream_base::server,
                                        asio::redirect_error(asio::use_awaitable, error));
        std::string request;
        if (!error)
            co_await asio::async_read_until(stream, asio::dynamic_buffer(request), "\r\n\r\n",
                                            asio::redirect_error(asio::use_awaitable, error));
        if (!request.empty())
            requests.push_back(request);
        const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        if (!error)
            co_await asio::async_write(stream, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
    }
};

/// "200", or why there was no answer.
asio::awaitable<std::string> ask(HttpConnection& connection) {
    if (std::string problem = co_await connection.connect(); !problem.empty())
        co_return problem;
    const auto head = co_await connection.send({"GET", "/", "secret", "", "", ""});
    co_return head ? std::to_string(head->status) : head.error();
}

struct Row {
    const char* why;
    std::string names;        ///< in the certificate
    std::string server_name;  ///< of the kubeconfig; empty: the host, 127.0.0.1
    std::string expected;     ///< "200", or a part of the refusal
    long begin = -hour;
    long end = hour;
    bool known_authority = true;
    bool verify = true;
};

}  // namespace

TEST_CASE("the server is who its certificate says, signed by whom we trust, and now") {
    const auto row = GENERATE(values<Row>({
        {"its address", "IP:127.0.0.1", "", "200"},
        {"one of several", "DNS:x.example,IP:10.0.0.1,IP:127.0.0.1", "", "200"},
        {"another address", "IP:127.0.0.2", "", "IP address mismatch"},
        {"an address is no name", "DNS:127.0.0.1", "", "IP address mismatch"},
        {"no names", "", "", "IP address mismatch"},
        {"its name", "DNS:api.example", "api.example", "200"},
        {"its name by a wildcard", "DNS:*.api.example", "a.api.example", "200"},
        {"another name", "DNS:other.example", "api.example", "ostname mismatch"},
        {"the subject is no name", "IP:127.0.0.1", "common.example", "ostname mismatch"},
        {"a name by part of a wildcard", "DNS:a*.api.example", "ab.api.example", "ostname mismatch"},
        {"the zone is ours alone", "IP:fe80::1", "fe80::1%eth0", "200"},
        {"another address in a zone", "IP:fe80::2", "fe80::1%eth0", "IP address mismatch"},
        {"a name with a zone", "IP:127.0.0.1", "::1%", "cannot be"},
        {"too long for a name", "IP:127.0.0.1", std::string(300, 'x'), "cannot be looked for"},
        {"expired", "IP:127.0.0.1", "", "certificate has expired", -2 * hour, -60},
        {"not yet valid", "IP:127.0.0.1", "", "not yet valid", hour, 2 * hour},
        {"an unknown authority", "IP:127.0.0.1", "", "cannot be trusted", -hour, hour, false},
        {"nobody is to be verified", "IP:127.0.0.2", "", "200", -2 * hour, -60, false, false},
    }));
    CAPTURE(row.why);
    const auto authority = certificates::make("authority", "", nullptr);
    const auto other_authority = certificates::make("authority", "", nullptr);
    const auto signed_ = certificates::make("common.example", row.names, &authority, row.begin, row.end);
    asio::io_context context;
    Server server(context, signed_);
    const TlsMaterial material{row.verify, (row.known_authority ? authority : other_authority).pem(), row.server_name,
                               "", ""};
    HttpConnection connection(context.get_executor(), {true, "127.0.0.1", server.acceptor.local_endpoint().port(), ""},
                              material);
    std::optional<std::string> result;
    asio::co_spawn(context, ask(connection),
                   [&](const std::exception_ptr&, std::string said) { result = std::move(said); });
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!result && std::chrono::steady_clock::now() < deadline)
        context.run_one_for(100ms);
    REQUIRE(result);
    CHECK_THAT(*result, Catch::Contains(row.expected));
    CHECK(server.requests.size() == (row.expected == "200" ? 1 : 0));
}

TEST_CASE("the name that is expected is the kubeconfig's, or the URL's host, without its zone") {
    struct Row {
        const char* url;
        const char* server_name;
        const char* expected;
        const char* host;  ///< of the request
    };
    const auto row = GENERATE(values<Row>({
        {"https://10.0.0.1:6443", "", "10.0.0.1", "10.0.0.1:6443"},
        {"https://10.0.0.1:6443", "kubernetes", "kubernetes", "10.0.0.1:6443"},
        {"https://[fd00::1]", "", "fd00::1", "[fd00::1]:443"},
        {"https://[fe80::1%25eth0]:6443", "", "fe80::1", "[fe80::1]:6443"},
        {"https://[fe80::1%eth0]:6443", "", "fe80::1", "[fe80::1]:6443"},
    }));
    CAPTURE(row.url);
    const auto url = parse_server_url(row.url);
    REQUIRE(url);
    CHECK(expected_name({true, "", row.server_name, "", ""}, *url) == row.expected);
    CHECK(authority(*url) == row.host);
}

TEST_CASE("material that OpenSSL cannot use is said by its part") {
    const auto one = certificates::make("one", "", nullptr);
    const auto two = certificates::make("two", "", nullptr);
    struct Row {
        TlsMaterial material;
        const char* expected;
    };
    const auto row = GENERATE_REF(values<Row>({
        {{true, one.pem(), "", one.pem(), one.key_pem()}, ""},
        {{true, "no PEM", "", "", ""}, "the certificate authority"},
        {{true, one.pem(), "", "no PEM", one.key_pem()}, "the client's certificate"},
        {{true, one.pem(), "", one.pem(), "no PEM"}, "the client's key"},
        {{true, one.pem(), "", one.pem(), two.key_pem()}, "the client's key"},
    }));
    const auto context = make_context(row.material, "https://a:443");
    CHECK(context.has_value() == (std::string(row.expected).empty()));
    if (!context)
        CHECK_THAT(context.error(),
                   Catch::StartsWith("the certificates given for https://a:443") && Catch::Contains(row.expected));
}
