// What to probe and how, and what a probe can say. Nothing here knows of IPVS or of Kubernetes objects; the words
// and defaults are those of the kubelet's probes (Kubernetes API reference, core/v1 Probe).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.hpp"

namespace health {

using base::Address;
using Time = std::chrono::steady_clock::time_point;

enum class ProbeType : std::uint8_t { readiness, liveness, startup };

struct HttpCheck {
    std::string host;  ///< name or address to connect to
    std::uint16_t port = 0;
    std::string path = "/";  ///< as written in the manifest; see http.hpp for how it becomes a request target
    bool https = false;      ///< certificates are not verified, as the kubelet does not
    bool h2 = false;         ///< without TLS: HTTP/2, known beforehand. With it the server chooses
    std::vector<std::pair<std::string, std::string>> headers;
    bool operator==(const HttpCheck&) const = default;
};

struct TcpCheck {
    std::string host;  ///< name or address to connect to
    std::uint16_t port = 0;
    bool operator==(const TcpCheck&) const = default;
};

/// The gRPC health protocol.
struct GrpcCheck {
    std::string host;  ///< address to connect to
    std::uint16_t port = 0;
    std::string service;  ///< empty: the server as a whole
    bool tls = false;     ///< certificates are not verified
    bool operator==(const GrpcCheck&) const = default;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

/// A command in a container, by its runtime.
struct ExecCheck {
    std::string socket;  ///< the runtime's, of CRI v1
    Labels labels;       ///< of the container
    std::vector<std::string> command;
    bool operator==(const ExecCheck&) const = default;
};

using Check =
    std::variant<TcpCheck, HttpCheck, GrpcCheck, ExecCheck>;  // another one does not compile until perform() runs it

struct Timing {
    std::chrono::seconds initial_delay{0};
    std::chrono::seconds timeout{1};  ///< of one attempt, everything included
    std::chrono::seconds period{10};
    int success_threshold = 1;
    int failure_threshold = 3;
    bool operator==(const Timing&) const = default;
};

/// The answer of one attempt. `error` = the attempt says nothing about the target (kubelet: result discarded).
enum class Answer : std::uint8_t { success, warning, failure, unknown, error };

/// What else than the target may be to blame for a failure (blame.hpp).
enum class Doubt : std::uint8_t {
    none,
    silence,  ///< nothing came back in time: it may have been lost on this host
    route,    ///< this host has no route to the target
    host,     ///< this host could not send
};

struct Outcome {
    Answer answer = Answer::unknown;
    std::string reason;  ///< for people: "HTTP probe failed with statuscode: 500", "connect: Connection refused"
    std::chrono::microseconds took{0};
    Doubt doubt = Doubt::none;
};

/// Identity of a probed container: pod UID (or namespace/name), container name. Opaque to this room.
struct Subject {
    std::string pod;
    std::string container;
    auto operator<=>(const Subject&) const = default;
};

/// Everything the prober needs to know of one container. Probes that are absent do not exist.
struct ProbeSpec {
    Check check;
    Timing timing;
    bool operator==(const ProbeSpec&) const = default;
};

}  // namespace health
