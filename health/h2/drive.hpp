// Carries one exchange over a connection.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "health/h2/exchange.hpp"

namespace health {

/// Returns when the exchange is over. The stream is connected, and limits the time by itself: its errors end the
/// exchange, `words` says them to people.
template <class Stream, class Words>
boost::asio::awaitable<void> drive(Stream& stream, H2Exchange& exchange, Words words) {
    namespace asio = boost::asio;
    std::array<char, std::size_t{16} * 1024> room;
    while (!exchange.is_over()) {
        boost::system::error_code error;
        const std::string out = exchange.to_send();
        if (!out.empty())
            co_await asio::async_write(stream, asio::buffer(out), asio::redirect_error(asio::use_awaitable, error));
        if (error)
            exchange.broken("write: " + words(error));
        if (exchange.is_over())
            co_return;
        const std::size_t size =
            co_await stream.async_read_some(asio::buffer(room), asio::redirect_error(asio::use_awaitable, error));
        exchange.received({room.data(), size});
        if (error == asio::error::eof)
            exchange.closed();
        else if (error)
            exchange.broken("read: " + words(error));
    }
}

}  // namespace health
