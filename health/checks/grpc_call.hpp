// Carries one gRPC call over a connection.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <utility>

#include "health/checks/connect.hpp"
#include "health/checks/grpc.hpp"
#include "health/h2/drive.hpp"

namespace health {

/// The stream is connected, and ends what lasts beyond the deadline by itself.
template <class Stream>
boost::asio::awaitable<GrpcStatus> call(Stream& stream, H2Request request, GrpcAnswer& answer,
                                        std::chrono::steady_clock::time_point deadline) {
    H2Exchange exchange(std::move(request), H2Exchange::Until::end, H2Bounds{},
                        [&](std::string_view piece) { return answer.body(piece); });
    co_await drive(stream, exchange, words_of);
    co_return answer.status(exchange, std::chrono::steady_clock::now() >= deadline);
}

}  // namespace health
