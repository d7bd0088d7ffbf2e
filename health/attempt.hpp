// One attempt of a probe that always ends with an answer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>

#include "health/checks/probe.hpp"

namespace health {

/// Asks a target once and says what it answered, within the timeout.
using Perform = std::function<boost::asio::awaitable<Outcome>(Check check, std::chrono::milliseconds timeout)>;

/// The outcome of `perform`. What it throws is one too: Answer::error with the exception's words, since a request that
/// this host cannot make says nothing about the target. The kubelet goes on after a panic in a probe as well
/// (pkg/kubelet/prober/worker.go, doProbe).
boost::asio::awaitable<Outcome> attempt(Perform perform, Check check, std::chrono::milliseconds timeout);

}  // namespace health
