// The configuration file as it is now: read when the controller starts and whenever it changes; a bad one leaves the
// last good one in force.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>

#include "proxy/controller/pool_config.hpp"

namespace proxy {

class PoolFile {
public:
    explicit PoolFile(std::string path) : path_(std::move(path)) {}

    /// Reads it. True: config() is another one than before. What is wrong is in problem().
    bool read();

    /// The last good one; nullopt: there has been none.
    const std::optional<PoolConfig>& config() const { return config_; }
    /// Why the file as it is now is not in force; empty: it is. Lines of "FILE:LINE: field: what is wrong\n".
    const std::string& problem() const { return problem_; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
    std::optional<PoolConfig> config_;
    std::string problem_;
};

/// Calls `changed` when the file may have another content: it or a link on the way to it was exchanged, as Kubernetes
/// does with a mounted ConfigMap. Never ends.
boost::asio::awaitable<void> watch_file(boost::asio::io_context& context, std::string path,
                                        std::function<void()> changed);

}  // namespace proxy
