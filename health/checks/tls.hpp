// TLS of a probe: certificates are not verified, since it asks whether the server answers, not who it is.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <string>

namespace health {

using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

TlsStream make_tls(const boost::asio::any_io_executor& executor);

/// What is offered by ALPN (RFC 7301).
enum class Offer : std::uint8_t {
    either,  ///< HTTP/2, else HTTP/1.1, as Go's transport does
    h2,
};

/// On a connection; `host` is sent when it is a name. Gives what is wrong, for people; empty: nothing.
boost::asio::awaitable<std::string> shake_hands(TlsStream& stream, std::string host, Offer offer);

/// The server has chosen HTTP/2.
bool speaks_h2(TlsStream& stream);

}  // namespace health
