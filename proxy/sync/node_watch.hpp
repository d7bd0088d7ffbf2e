// Checks the other nodes for the engine (health/node_checker.hpp), tells what comes of it, and looks up the addresses
// of those that no EndpointSlice names.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tl/expected.hpp>

#include "health/node_checker.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/serve/metrics.hpp"

namespace proxy {

class NodeWatch {
public:
    /// A Node of the API; nullopt: there is none. The error is why that is not known. Empty: there is no API to ask.
    using FindNode =
        std::function<boost::asio::awaitable<tl::expected<std::optional<api::Node>, std::string>>(std::string name)>;
    struct Hooks {
        FindNode find;
        std::function<void()> changed;                      ///< the engine has something to do
        std::function<void(const std::string& text)> tell;  ///< as an Event of the Node
        std::function<void()> problems_changed;
    };
    static constexpr const char* reason = "NodeSilent";

    /// `engine` and `metrics` must outlive it.
    NodeWatch(boost::asio::io_context& context, Engine& engine, Metrics& metrics, Hooks hooks);

    /// Nodes may have come or gone with the objects.
    void follow();
    /// Whether that one answers tells a dead node from being cut off.
    void note_api_server(const ServerAddress& server);

private:
    void note(const health::NodeReport& report);
    void note_api(const health::NodeReport& report);
    boost::asio::awaitable<void> look_up();
    boost::asio::awaitable<void> look_up(std::string node);
    std::optional<std::string> next_to_look_up(health::Time now) const;

    boost::asio::io_context& context_;
    Engine& engine_;
    Metrics& metrics_;
    Hooks hooks_;
    std::map<std::string, ServerAddress> servers_;    // of the API, by the names under which they are checked
    std::map<std::string, health::NodeLife> answer_;  // the same
    std::set<std::string> dead_;
    std::map<std::string, health::Time> looked_up_;  // when that is due again
    bool looking_ = false;
    bool complained_ = false;
    health::NodeChecker checker_;
};

}  // namespace proxy
