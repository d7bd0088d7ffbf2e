// How a probe's path becomes a request, and where a redirect leads (Go's net/url, as the kubelet uses it). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace health {

/// What a request goes to.
struct HttpUrl {
    bool https = false;
    std::string host;          ///< without brackets
    std::string port;          ///< empty: the scheme's
    std::string target = "/";  ///< path and query, escaped
    bool operator==(const HttpUrl&) const = default;
};

/// "/healthz" from "healthz", "/zz" from "http://other/zz", "/a%20b" from "/a b", "/a%25zz" from "/a%zz".
std::string request_target(std::string_view path);

/// "host:port" for the Host line; brackets for IPv6; without the scheme's own port when `port` is empty.
std::string host_text(const std::string& host, const std::string& port);

/// "http://host:port/target"
std::string to_string(const HttpUrl& url);

/// What a Location header means after a request to `base`; nullopt when it cannot be understood.
std::optional<HttpUrl> resolve_location(const HttpUrl& base, std::string_view location);

}  // namespace health
