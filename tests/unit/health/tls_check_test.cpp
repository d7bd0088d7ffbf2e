// HTTPS and gRPC over TLS, against a server that chooses the protocol by ALPN.
#include <nghttp2/nghttp2.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "health/checks/checks.hpp"
#include "tests/support/patience.hpp"
#include "tests/unit/api/certificates.hpp"
#include "tests/unit/health/h2_frames.hpp"

using namespace health;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Chooses `protocol` (empty: it knows nothing of ALPN), and sends `answer` once something has come.
struct TlsServer {
    asio::io_context& context;
    std::string protocol;
    std::string answer;
    std::string offered;  // with each length before it, as in the ClientHello
    std::string received;
    tcp::acceptor acceptor;
    asio::ssl::context tls{asio::ssl::context::tls_server};

    TlsServer(asio::io_context& given, std::string chosen, std::string says)
        : context(given),
          protocol(std::move(chosen)),
          answer(std::move(says)),
          acceptor(context, {asio::ip::make_address("127.0.0.1"), 0}) {
        const certificates::Signed made = certificates::make("pod", "IP:127.0.0.1", nullptr);
        tls.use_certificate_chain(asio::buffer(made.pem()));
        tls.use_private_key(asio::buffer(made.key_pem()), asio::ssl::context::pem);
        SSL_CTX_set_alpn_select_cb(tls.native_handle(), &choose, this);
        asio::co_spawn(context, serve(), asio::detached);
    }

    static int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned in_size,
                      void* self) {
        auto& server = *static_cast<TlsServer*>(self);
        server.offered.assign(reinterpret_cast<const char*>(in), in_size);
        if (server.protocol.empty())
            return SSL_TLSEXT_ERR_NOACK;
        *out = reinterpret_cast<const unsigned char*>(server.protocol.data());
        *size = static_cast<unsigned char>(server.protocol.size());
        return SSL_TLSEXT_ERR_OK;
    }

    asio::awaitable<void> serve() {
        boost::system::error_code error;
        asio::ssl::stream<tcp::socket> stream(co_await acceptor.async_accept(asio::use_awaitable), tls);
        co_await stream.async_handshake(asio::ssl::stream_base::server,
                                        asio::redirect_error(asio::use_awaitable, error));
        std::string room(16384, '\0');
        room.resize(
            co_await stream.async_read_some(asio::buffer(room), asio::redirect_error(asio::use_awaitable, error)));
        received = room;
        co_await asio::async_write(stream, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
        co_await stream.async_read_some(asio::buffer(room),
                                        asio::redirect_error(asio::use_awaitable, error));  // until the client goes
    }
};

/// "name: value" of each field in the HEADERS frame behind the preface and other frames.
std::vector<std::string> fields_of(std::string_view bytes) {
    bytes.remove_prefix(std::min<std::size_t>(24, bytes.size()));
    std::vector<std::string> fields;
    while (bytes.size() >= 9) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
        const std::size_t size =
            static_cast<std::size_t>(byte(0)) << 16U | static_cast<std::size_t>(byte(1)) << 8U | byte(2);
        const std::string_view payload = bytes.substr(9, size);
        nghttp2_hd_inflater* inflater = nullptr;
        nghttp2_hd_inflate_new(&inflater);
        const auto* in = reinterpret_cast<const std::uint8_t*>(payload.data());
        for (std::size_t left = byte(3) == h2::headers ? payload.size() : 0; left > 0;) {
            nghttp2_nv field{};
            int flags = 0;
            const auto taken = nghttp2_hd_inflate_hd2(inflater, &field, &flags, in, left, 1);
            if (taken < 0)
                break;
            in += taken;
            left -= static_cast<std::size_t>(taken);
            if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
                fields.push_back(std::string(reinterpret_cast<const char*>(field.name), field.namelen) + ": " +
                                 std::string(reinterpret_cast<const char*>(field.value), field.valuelen));
        }
        nghttp2_hd_inflate_del(inflater);
        bytes.remove_prefix(std::min(9 + size, bytes.size()));
    }
    return fields;
}

Outcome run(asio::io_context& context, Check check) {
    std::optional<Outcome> outcome;
    asio::co_spawn(context, perform(std::move(check), testing::patience(2s)),
                   [&](const std::exception_ptr&, Outcome result) { outcome = std::move(result); });
    const auto deadline = std::chrono::steady_clock::now() + testing::patience(10s);
    while (!outcome && std::chrono::steady_clock::now() < deadline)
        context.run_one_for(100ms);
    REQUIRE(outcome);
    return *outcome;
}

}  // namespace

TEST_CASE("HTTPS offers HTTP/2 and HTTP/1.1, and speaks what the server has chosen") {
    asio::io_context context;
    const auto [chosen, answer, expected, reason] = GENERATE(table<std::string, std::string, Answer, std::string>({
        {"h2", h2::hello + h2::head({{":status", "200"}}), Answer::success, ""},
        {"h2", h2::hello + h2::head({{":status", "500"}}), Answer::failure, "HTTP probe failed with statuscode: 500"},
        {"h2", "HTTP/1.1 200 OK\r\n\r\n", Answer::failure, "this is no HTTP/2"},
        {"http/1.1", "HTTP/1.1 200 OK\r\n\r\n", Answer::success, ""},
        {"", "HTTP/1.1 200 OK\r\n\r\n", Answer::success, ""},
        {"http/1.1", h2::hello + h2::head({{":status", "200"}}), Answer::failure, "no HTTP"},
    }));
    TlsServer server(context, chosen, answer);
    HttpCheck check;
    check.host = "127.0.0.1";
    check.port = server.acceptor.local_endpoint().port();
    check.https = true;
    check.headers = {{"X-Mixed", " a "}, {"Connection", "upgrade"}, {"Host", "shop.example"}};
    const Outcome outcome = run(context, check);
    CHECK(outcome.answer == expected);
    CHECK_THAT(outcome.reason, Catch::Contains(reason));
    CHECK(server.offered == "\x02h2\x08http/1.1");
    CHECK(server.received.starts_with("PRI * HTTP/2.0") == (chosen == "h2"));
    if (chosen == "h2")  // what is about the connection is left out, and a value has no space at its ends
        CHECK(fields_of(server.received) ==
              std::vector<std::string>{":method: GET", ":scheme: https", ":authority: shop.example", ":path: /",
                                       "x-mixed: a", "user-agent: podferry-probe/" PODFERRY_VERSION, "accept: */*"});
}

TEST_CASE("gRPC over TLS offers HTTP/2 alone, and insists on it") {
    asio::io_context context;
    const std::string serving =
        h2::grpc_head() + h2::frame(h2::data, 0, 1, h2::message("\x08\x01")) + h2::trailers("0");
    const auto [chosen, expected, reason] = GENERATE(table<std::string, Answer, std::string>({
        {"h2", Answer::success, ""},
        {"", Answer::failure, "TLS: the server does not choose HTTP/2"},
    }));
    TlsServer server(context, chosen, serving);
    const Outcome outcome = run(context, GrpcCheck{"127.0.0.1", server.acceptor.local_endpoint().port(), "", true});
    CHECK(outcome.answer == expected);
    CHECK_THAT(outcome.reason, Catch::Contains(reason));
    CHECK(server.offered == "\x02h2");
}
