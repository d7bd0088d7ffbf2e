// Takes and keeps the Lease: asks the API server what Elector says is to be asked.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>

#include "api/cluster/api_client.hpp"
#include "proxy/controller/api_texts.hpp"
#include "proxy/controller/elector.hpp"
#include "proxy/log/rarely.hpp"

namespace proxy {

class LeaseKeeper {
public:
    /// What is done when something has become of the Lease. None of them may be empty.
    struct Handlers {
        std::function<void(const LeaseRecord& taken)> leads;  ///< we lead from now on
        std::function<std::string()> reservations;            ///< those that are to be written into it now
        std::function<void()> written;                        ///< they are there
        std::function<void(const std::string& why)> lost;     ///< we lead no longer; once
    };

    /// Throws std::runtime_error for a server that is no URL. `hooks` must outlive it.
    LeaseKeeper(boost::asio::io_context& context, api::Access access, const api::ApiHooks& hooks, api::ObjectName lease,
                Elector elector, Handlers handlers);

    /// Ends when the Lease is lost.
    boost::asio::awaitable<void> run();
    /// Writes it now, not when it is time to.
    void hurry();
    /// Leaves it to the others, if we have it. To be called once, when run() is not to go on.
    boost::asio::awaitable<void> release();

    const Elector& elector() const { return elector_; }
    /// When the server last told us what the Lease says.
    std::optional<Elector::Time> heard() const { return heard_; }

private:
    boost::asio::awaitable<void> read();
    boost::asio::awaitable<void> write(bool create);
    boost::asio::awaitable<void> watch_deadline();
    LeaseClaim claim() const;
    void fail(const std::string& why);
    void lose(const std::string& why);

    boost::asio::io_context& context_;
    api::ApiClient client_;
    api::ObjectName lease_;
    Elector elector_;
    Handlers handlers_;
    boost::asio::steady_timer timer_;
    std::optional<Elector::Time> heard_;
    Rarely complaints_;
    bool over_ = false;
};

}  // namespace proxy
