// Serves the running node's pages: on the operator's socket, the metrics and the health addresses.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/node/node_parts.hpp"
#include "proxy/serve/listener.hpp"

namespace proxy {

/// The operator's socket, for its user only; what an earlier podferry has left there is removed. The error says which
/// path cannot be listened on. Throws std::runtime_error.
boost::asio::local::stream_protocol::acceptor listen_on_socket(boost::asio::io_context& context,
                                                               const std::string& path);

class NodePages {
public:
    /// `node` must outlive it, and it the loop's run(). `more`: further ones for operators.
    explicit NodePages(NodeParts& node, Pages more = {});
    NodePages(const NodePages&) = delete;
    NodePages& operator=(const NodePages&) = delete;

    /// Serves all pages from now on. Throws when an address cannot be listened on and bind_address_hard_fail is set.
    void serve(boost::asio::local::stream_protocol::acceptor socket);

private:
    /// A setting of addresses, and the reason of the Event that says that one does not work.
    struct Setting {
        const char* name;
        const char* reason;
    };
    void serve_tcp(const std::vector<Listen>& addresses, const Pages& pages, Setting setting);
    void tell_problem(Setting setting, const std::string& what, const std::string& problem);
    Reply readyz_page();
    Reply metrics_page();
    boost::asio::awaitable<Reply> services_page();

    NodeParts& node_;
    Pages for_operators_;
    Pages for_metrics_;
    Pages for_health_;
    std::list<std::unique_ptr<Listener>> listeners_;
};

}  // namespace proxy
