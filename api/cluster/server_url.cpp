#include "api/cluster/server_url.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include "base/address.hpp"
#include "base/numbers.hpp"

namespace api {
namespace {

bool is_loopback(const std::string& host) {
    if (host == "localhost")
        return true;
    const auto address = base::parse_address(host);
    return address && address->is_loopback();
}

bool is_v6(const std::string& host) {
    const auto address = base::parse_address(without_zone(host));
    return address && address->is_v6() && !host.ends_with('%');
}

bool read_port(std::string_view text, std::uint16_t& port) {
    port = base::parse_number<std::uint16_t>(text).value_or(0);
    return port != 0;
}

/// "host", "host:port", "[::1]:port"; false when it is none of these.
bool read_authority(std::string_view text, ServerUrl& url) {
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos)
            return false;
        url.host = text.substr(1, end - 1);
        if (const auto zone = url.host.find("%25"); zone != std::string::npos)
            url.host.erase(zone + 1, 2);  // as RFC 6874 writes it
        if (!is_v6(url.host))
            return false;
        rest = text.substr(end + 1);
    } else {
        url.host = text.substr(0, text.find(':'));
        rest = text.substr(url.host.size());
    }
    if (url.host.empty() || url.host.find_first_of("[]%") < url.host.find(':'))
        return false;
    return rest.empty() || (rest.front() == ':' && read_port(rest.substr(1), url.port));
}

}  // namespace

tl::expected<ServerUrl, std::string> parse_server_url(std::string_view text) {
    const std::string shown = "'" + std::string(text) + "'";
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos)
        return tl::unexpected(shown + " is no URL; write https://HOST:PORT");
    ServerUrl url;
    const std::string_view name = text.substr(0, scheme);
    url.tls = boost::algorithm::iequals(name, "https");
    if (!url.tls && !boost::algorithm::iequals(name, "http"))
        return tl::unexpected(shown + " must begin with https://");
    url.port = url.tls ? 443 : 80;
    std::string_view rest = text.substr(scheme + 3);
    if (rest.find_first_of("?#@ \t\r\n") != std::string_view::npos)
        return tl::unexpected(shown + " may have a host, a port and a path only");
    const auto slash = std::min(rest.find('/'), rest.size());
    if (!read_authority(rest.substr(0, slash), url))
        return tl::unexpected(shown + " has no host, or a port outside 1..65535; write https://HOST:PORT");
    if (!url.tls && !is_loopback(url.host))
        return tl::unexpected(shown + " would send the token in clear; http is only for a loopback address");
    url.prefix = rest.substr(slash);
    while (url.prefix.ends_with('/'))
        url.prefix.pop_back();
    return url;
}

std::string without_zone(const std::string& address) {
    return address.substr(0, address.find('%'));
}

namespace {

std::string with_port(const std::string& host, std::uint16_t port) {
    if (host.find(':') == std::string::npos)
        return host + ":" + std::to_string(port);
    const auto zone = host.find('%');
    const std::string encoded = zone == std::string::npos ? "" : "%25" + host.substr(zone + 1);  // RFC 6874
    return "[" + without_zone(host) + encoded + "]:" + std::to_string(port);
}

}  // namespace

std::string authority(const ServerUrl& url) {
    return with_port(without_zone(url.host), url.port);
}

std::string to_string(const ServerUrl& url) {
    return (url.tls ? "https://" : "http://") + with_port(url.host, url.port) + url.prefix;
}

}  // namespace api
