#include "api/cluster/tls.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>

namespace api {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

namespace {

std::string use(ssl::context& context, const TlsMaterial& tls) {
    boost::system::error_code error;
    const auto said = [&](const char* what) { return std::string(what) + ": " + error.message(); };
    if (SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION) != 1)
        return "OpenSSL refuses TLS 1.2 as the oldest version";
    context.set_verify_mode(tls.verify ? ssl::verify_peer : ssl::verify_none, error);
    if (error)
        return said("verification cannot be switched on");
    if (tls.ca_pem.empty())
        context.set_default_verify_paths(error);
    else
        context.add_certificate_authority(asio::buffer(tls.ca_pem), error);
    if (error)
        return said("the certificate authority");
    if (tls.certificate_pem.empty())
        return {};
    context.use_certificate_chain(asio::buffer(tls.certificate_pem), error);
    if (error)
        return said("the client's certificate");
    context.use_private_key(asio::buffer(tls.key_pem), ssl::context::pem, error);
    if (error)
        return said("the client's key");
    return SSL_CTX_check_private_key(context.native_handle()) == 1 ? ""
                                                                   : "the client's key is not that of its certificate";
}

bool is_address(const std::string& name) {
    boost::system::error_code error;
    asio::ip::make_address(name, error);
    return !error;
}

}  // namespace

tl::expected<ssl::context, std::string> make_context(const TlsMaterial& tls, const std::string& server) {
    ssl::context context(ssl::context::tls_client);
    if (const std::string problem = use(context, tls); !problem.empty())
        return tl::unexpected("the certificates given for " + server + " cannot be used: " + problem);
    return context;
}

std::string expected_name(const TlsMaterial& tls, const ServerUrl& server) {
    const std::string name = tls.server_name.empty() ? server.host : tls.server_name;
    return name.find(':') == std::string::npos ? name : without_zone(name);
}

std::string expect_name(SSL* connection, const std::string& name) {
    const std::string refused = "TLS: '" + name + "' cannot be looked for in the server's certificate";
    if (name.empty())
        return refused;  // OpenSSL reads an empty name as none
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), name.c_str()) == 1 ? "" : refused;
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(connection, name.c_str()) != 1)
        return refused;
    return SSL_set_tlsext_host_name(connection, name.c_str()) == 1 ? "" : refused + " (too long for a name)";
}

std::string distrust(SSL* connection, const TlsMaterial& tls, const ServerUrl& server) {
    const long verdict = SSL_get_verify_result(connection);
    if (!tls.verify || verdict == X509_V_OK)
        return {};
    const bool about_time = verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID;
    return "TLS: the certificate of " + to_string(server) +
           " cannot be trusted: " + X509_verify_cert_error_string(verdict) +
           (about_time ? "; if it is valid, this machine's clock is wrong"
                       : " (expected: " + expected_name(tls, server) + ")");
}

}  // namespace api
