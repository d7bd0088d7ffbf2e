#include "health/knocks.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "base/asio_address.hpp"
#include "health/checks/blame.hpp"

namespace health {

namespace asio = boost::asio;
using asio::ip::tcp;

Knocked knocked(const boost::system::error_code& error) {
    if (!error || error == asio::error::connection_refused || error == asio::error::connection_reset)
        return Knocked::answered;
    const Doubt doubt = doubt_of(error);
    return doubt == Doubt::host || doubt == Doubt::route ? Knocked::not_asked : Knocked::silent;
}

void Knocks::ask(const base::Address& address, std::uint16_t port, Time now, Ended ended) {
    const auto could_not = [&] { asio::post(executor_, [ended = std::move(ended)] { ended(Knocked::not_asked); }); };
    if (open_.size() >= most)
        return could_not();
    const tcp::endpoint where(base::to_asio(address), port);
    Knock knock{tcp::socket(executor_), now};
    boost::system::error_code error;
    knock.socket.open(where.protocol(), error);
    if (!error)
        knock.socket.set_option(asio::socket_base::linger(true, 0), error);
    if (error)
        return could_not();
    const std::uint64_t number = ++last_;
    Knock& kept = open_.emplace(number, std::move(knock)).first->second;
    kept.socket.async_connect(
        where, [this, number, ended = std::move(ended)](const boost::system::error_code& result) mutable {
            if (result == asio::error::operation_aborted)  // it is open no more
                return;
            open_.erase(number);
            ended(knocked(result));
        });
}

void Knocks::expire(Time now) {
    while (!open_.empty() && now - open_.begin()->second.since >= patience)
        open_.erase(open_.begin());
}

}  // namespace health
