// TLS towards an API server: what is trusted, who we are, and whose name its certificate has to hold. Every answer of
// OpenSSL counts: a connection whose server could not be verified is never made.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <string>
#include <tl/expected.hpp>

#include "api/cluster/http.hpp"

namespace api {

/// The error says which of the material cannot be used, and why.
tl::expected<boost::asio::ssl::context, std::string> make_context(const TlsMaterial& tls, const std::string& server);

/// The name or address that the certificate has to hold: `server_name`, or else the URL's host, without the zone
/// ("fe80::1%eth0" is fe80::1 to everybody else).
std::string expected_name(const TlsMaterial& tls, const ServerUrl& server);

/// Has OpenSSL look for the name in the certificate, and only in its subjectAltName, as client-go does. Names are sent
/// as server name indication too, addresses are not (RFC 6066). Not empty: it cannot, and no connection may follow.
std::string expect_name(SSL* connection, const std::string& name);

/// Says, after a handshake that failed, whose certificate is not trusted, and why; empty: it was something else.
std::string distrust(SSL* connection, const TlsMaterial& tls, const ServerUrl& server);

}  // namespace api
