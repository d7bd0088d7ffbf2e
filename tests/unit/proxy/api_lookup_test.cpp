// Proxies to the API servers on this node: real sockets and certificates.
#include "proxy/sync/api_lookup.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/unit/api/certificates.hpp"

using namespace proxy;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Shakes hands with whoever comes, on a thread of its own.
class LocalProxy {
public:
    explicit LocalProxy(const certificates::Signed& as) {
        tls_.use_certificate(asio::buffer(as.pem()), asio::ssl::context::pem);
        tls_.use_private_key(asio::buffer(as.key_pem()), asio::ssl::context::pem);
        asio::co_spawn(context_, serve(), asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }
    ~LocalProxy() {
        context_.stop();
        thread_.join();
    }
    LocalProxy(const LocalProxy&) = delete;
    LocalProxy& operator=(const LocalProxy&) = delete;

    std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }

private:
    asio::awaitable<void> serve() {
        for (boost::system::error_code error; !error;) {
            asio::ssl::stream<tcp::socket> stream(
                co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error)), tls_);
            boost::system::error_code refused;
            co_await stream.async_handshake(asio::ssl::stream_base::server,
                                            asio::redirect_error(asio::use_awaitable, refused));
        }
    }

    asio::io_context context_;
    asio::ssl::context tls_{asio::ssl::context::tls_server};
    tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
    std::uint16_t port_ = acceptor_.local_endpoint().port();
    std::thread thread_;
};

}  // namespace

TEST_CASE("a proxy on this node is used when the cluster's authority has signed its certificate") {
    const std::string folder =
        std::filesystem::temp_directory_path() / ("podferry-knock-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const auto authority = certificates::make("authority", "", nullptr);
    const auto other_authority = certificates::make("authority", "", nullptr);
    const LocalProxy stranger(certificates::make("stranger", "IP:127.0.0.1", &other_authority));
    const LocalProxy misnamed(certificates::make("misnamed", "IP:127.0.0.2", &authority));
    const LocalProxy right(certificates::make("right", "IP:127.0.0.1", &authority));
    std::ofstream(folder + "/ca.crt") << authority.pem();
    Config config;
    config.state_dir = folder;
    config.api_local_proxies = {stranger.url(), misnamed.url(), right.url()};
    const auto choice = look_for_api(config, folder + "/ca.crt");
    std::filesystem::remove_all(folder);
    REQUIRE(choice);
    CHECK(choice->servers == std::vector<std::string>{right.url()});
    CHECK_THAT(choice->why, Catch::StartsWith(right.url() + "; before it, " + stranger.url() + ": ") &&
                                Catch::Contains("cannot be trusted") && Catch::Contains("IP address mismatch"));
}
