// One attempt of a probe. Sockets are closed with a reset where the kubelet leaves them in TIME_WAIT, so that thousands
// of probes a minute cost no ports (SO_LINGER 0; a positive linger would block the loop when the peer is dead).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "health/checks/probe.hpp"

namespace health {

/// Success when the handshake is done within `timeout`.
boost::asio::awaitable<Outcome> check_tcp(TcpCheck check, std::chrono::milliseconds timeout);

/// Success by the status of the answer, which is final once its header has been read; the body is not.
/// HTTPS is HTTP/2 where the server chooses it. The kubelet's rules for redirects, headers and status codes
/// (pkg/probe/http).
boost::asio::awaitable<Outcome> check_http(HttpCheck check, std::chrono::milliseconds timeout);

/// Success when the server says SERVING of the service within `timeout`; all else is a failure (pkg/probe/grpc).
boost::asio::awaitable<Outcome> check_grpc(GrpcCheck check, std::chrono::milliseconds timeout);

/// Success when the command exits with 0 within `timeout`. The youngest running container with these labels is looked
/// up each time, 5 s at most; the runtime ends the command, and 5 s later nobody waits for it any more. A runtime that
/// does not answer, or has other trouble, says nothing about the container (Answer::error).
boost::asio::awaitable<Outcome> check_exec(ExecCheck check, std::chrono::milliseconds timeout);

boost::asio::awaitable<Outcome> perform(Check check, std::chrono::milliseconds timeout);

}  // namespace health
