// Requests at a steady rate for the lab, each on a connection of its own, whatever becomes of the others.
//     lab-load ADDRESS PORT COUNT RATE
// prints a line for each when it has ended: "0.105 0.004 pod1 10.1.0.13" (sent at, took, answer) or
// "0.105 2.000 error: timed out".
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstdio>
#include <string>

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(2);
constexpr char request[] = "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";

double seconds(Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

/// The last line of the answer.
std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

asio::awaitable<std::string> ask(asio::io_context& context, asio::ip::tcp::endpoint server) {
    boost::beast::tcp_stream stream(context);
    stream.expires_after(patience);
    boost::system::error_code error;
    co_await stream.async_connect(server, asio::redirect_error(asio::use_awaitable, error));
    if (!error)
        co_await stream.async_write_some(asio::buffer(request, sizeof(request) - 1),
                                         asio::redirect_error(asio::use_awaitable, error));
    std::string answer;
    char part[4096];
    while (!error) {
        const std::size_t size =
            co_await stream.async_read_some(asio::buffer(part), asio::redirect_error(asio::use_awaitable, error));
        answer.append(part, size);
    }
    if (error == boost::beast::error::timeout)
        co_return "error: timed out";
    if (error != asio::error::eof)
        co_return "error: " + error.message();
    co_return answer.empty() ? "error: closed without an answer" : last_line(answer);
}

asio::awaitable<void> one(asio::io_context& context, asio::ip::tcp::endpoint server, Clock::time_point start) {
    const auto began = Clock::now();
    const std::string line = co_await ask(context, server);
    std::printf("%.3f %.3f %s\n", seconds(began - start), seconds(Clock::now() - began), line.c_str());
    std::fflush(stdout);
}

asio::awaitable<void> all(asio::io_context& context, asio::ip::tcp::endpoint server, int count, double rate) {
    const auto start = Clock::now();
    asio::steady_timer timer(context);
    for (int i = 0; i < count; ++i) {
        timer.expires_at(start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(i / rate)));
        co_await timer.async_wait(asio::use_awaitable);
        asio::co_spawn(context, one(context, server, start), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: lab-load ADDRESS PORT COUNT RATE\n", stderr);
        return 2;
    }
    asio::io_context context;
    const asio::ip::tcp::endpoint server(asio::ip::make_address(argv[1]),
                                         static_cast<std::uint16_t>(std::stoi(argv[2])));
    asio::co_spawn(context, all(context, server, std::stoi(argv[3]), std::stod(argv[4])), asio::detached);
    context.run();
    return 0;
}
