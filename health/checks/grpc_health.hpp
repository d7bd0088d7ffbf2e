// The gRPC health protocol (grpc.health.v1.Health/Check), and what its answers mean to a probe. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "health/checks/grpc.hpp"
#include "health/checks/probe.hpp"

namespace health {

/// HealthCheckRequest; no service is asked for the server as a whole.
std::string health_request(std::string_view service);

/// What the kubelet makes of an answer, in its words (pkg/probe/grpc/grpc.go): only SERVING is success, and nothing is
/// an error. `message`: the HealthCheckResponse, when the status is OK.
Outcome judge_health(const GrpcStatus& status, std::string_view message, std::chrono::milliseconds timeout);

}  // namespace health
