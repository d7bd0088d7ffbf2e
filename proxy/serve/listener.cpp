#include "proxy/serve/listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "proxy/serve/admin.hpp"

namespace proxy {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Listener::State {
    asio::any_io_executor executor;
    tcp::endpoint where;
    Handler handler;
    std::function<void()> changed;
    std::chrono::milliseconds retry_after;
    asio::steady_timer timer;
    std::shared_ptr<tcp::acceptor> acceptor = nullptr;
    std::string problem = "";
    bool closed = false;

    void try_once() {
        boost::system::error_code error;
        auto opened = std::make_shared<tcp::acceptor>(executor);
        const auto attempt = [&](auto step) {
            if (!error)
                step();
        };
        attempt([&] { opened->open(where.protocol(), error); });
        attempt([&] { opened->set_option(tcp::acceptor::reuse_address(true), error); });
        attempt([&] { opened->bind(where, error); });
        attempt([&] { opened->listen(tcp::acceptor::max_listen_connections, error); });
        problem = error ? error.message() : "";
        if (error)
            return;
        acceptor = opened;
        asio::co_spawn(executor, serve(std::move(opened), handler), asio::detached);
    }
};

Listener::Listener(asio::any_io_executor executor, tcp::endpoint where, Handler handler, std::function<void()> changed,
                   std::chrono::milliseconds retry_after)
    : state_(new State{executor, where, std::move(handler), std::move(changed), retry_after,
                       asio::steady_timer(executor)}) {
    state_->try_once();
    if (!state_->problem.empty())
        asio::co_spawn(executor, try_again(state_), asio::detached);
}

Listener::~Listener() {
    state_->closed = true;
    state_->timer.cancel();
    boost::system::error_code ignored;
    if (state_->acceptor)
        state_->acceptor->close(ignored);
}

const std::string& Listener::problem() const {
    return state_->problem;
}

asio::awaitable<void> Listener::try_again(std::shared_ptr<State> state) {
    while (!state->problem.empty()) {
        state->timer.expires_after(state->retry_after);
        boost::system::error_code cancelled;
        co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        if (state->closed)
            co_return;
        const std::string before = state->problem;
        state->try_once();
        if (state->problem != before)
            state->changed();
    }
}

}  // namespace proxy
