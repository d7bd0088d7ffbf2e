// The address of an API server. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace api {

struct ServerUrl {
    bool tls = true;
    std::string host;  ///< a name or an address, IPv6 without brackets, perhaps with a zone: "fe80::1%eth0"
    std::uint16_t port = 443;
    std::string prefix;  ///< of all paths, without a slash at its end: "/k8s/clusters/c-1"; usually empty
    bool operator==(const ServerUrl&) const = default;
};

/// "https://host[:port][/prefix]"; http only to a loopback address (`kubectl proxy`), for a token would travel in
/// clear. The error says what is wrong with the text.
tl::expected<ServerUrl, std::string> parse_server_url(std::string_view text);

/// "10.0.0.1:6443", "[fd00::1]:6443": as the Host of a request has it, without the zone, which is this machine's own.
std::string authority(const ServerUrl& url);

/// "fe80::1" of "fe80::1%eth0".
std::string without_zone(const std::string& address);

/// "https://10.0.0.1:6443"
std::string to_string(const ServerUrl& url);

}  // namespace api
