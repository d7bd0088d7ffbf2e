// Wires the node role: objects from the feed and verdicts from probing go to the engine, what it wants goes to the
// kernel side, and what comes of it to the announcer and the pages.
#pragma once

#include "proxy/node/node_moments.hpp"
#include "proxy/node/node_parts.hpp"
#include "proxy/sync/node_watch.hpp"

namespace proxy {

class RunningNode {
public:
    /// `began`: when the program was started. Throws when the kernel cannot be spoken to, or an API server is no URL.
    RunningNode(boost::asio::io_context& context, Config config, const NodeInputs& inputs, Time began);

    /// Puts our device and table in place, adopts the kernel as it is, and begins to wait for the objects; nothing is
    /// programmed or removed before they are complete. Call once. Throws std::exception.
    void start();

    NodeParts& parts() { return parts_; }

private:
    void accept(api::Transaction transaction);
    void begin(api::Transaction everything);
    void note_node();

    NodeMoments moments_;
    NodeParts parts_;
    NodeWatch node_watch_;
};

}  // namespace proxy
