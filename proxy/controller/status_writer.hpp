// Writes statuses of Services, several at a time, so that one that hangs holds up none beside it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/cluster/api_client.hpp"
#include "proxy/controller/api_texts.hpp"

namespace proxy {

class StatusWriter {
public:
    static constexpr std::size_t most_connections = 4;

    /// What has become of a write; `why`: of one that has not worked, what the server says.
    using Done = std::function<void(const StatusWrite& write, WriteResult result, const std::string& why)>;

    /// `hooks` must outlive it.
    StatusWriter(boost::asio::io_context& context, const api::Access& access, const api::ApiHooks& hooks, Done done);

    /// It is written when its turn comes.
    void write(StatusWrite write);

private:
    boost::asio::awaitable<void> work(std::unique_ptr<api::ApiClient> client);
    boost::asio::awaitable<void> perform(api::ApiClient& client, StatusWrite write);

    boost::asio::io_context& context_;
    std::vector<std::unique_ptr<api::ApiClient>> idle_;
    std::deque<StatusWrite> queue_;
    Done done_;
};

}  // namespace proxy
