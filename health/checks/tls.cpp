#include "health/checks/tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string_view>

#include "health/checks/connect.hpp"

namespace health {
namespace {

namespace asio = boost::asio;

asio::ssl::context& context() {
    static asio::ssl::context shared = [] {
        asio::ssl::context fresh(asio::ssl::context::tls_client);
        fresh.set_verify_mode(asio::ssl::verify_none);
        return fresh;
    }();
    return shared;
}

/// Each name has its length before it.
bool offers(SSL* connection, Offer offer) {
    const std::string_view names = offer == Offer::h2 ? "\x02h2" : "\x02h2\x08http/1.1";
    return SSL_set_alpn_protos(connection, reinterpret_cast<const unsigned char*>(names.data()),
                               static_cast<unsigned>(names.size())) == 0;
}

}  // namespace

TlsStream make_tls(const asio::any_io_executor& executor) {
    return {executor, context()};
}

asio::awaitable<std::string> shake_hands(TlsStream& stream, std::string host, Offer offer) {
    boost::system::error_code is_name;
    asio::ip::make_address(host, is_name);
    if (is_name && SSL_set_tlsext_host_name(stream.native_handle(), host.c_str()) != 1)
        co_return "TLS: the name '" + host + "' cannot be sent";
    if (!offers(stream.native_handle(), offer))
        co_return "TLS: no memory";
    boost::system::error_code error;
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
    co_return error ? "TLS: " + words_of(error) : "";
}

bool speaks_h2(TlsStream& stream) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(stream.native_handle(), &name, &size);
    return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
}

}  // namespace health
