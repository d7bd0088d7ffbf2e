// Delivers the running node's objects, from a folder or the Kubernetes API, and counts and logs what comes of it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/cluster/kubernetes_source.hpp"
#include "api/objects/source.hpp"
#include "proxy/config/config.hpp"
#include "proxy/node/role_parts.hpp"
#include "proxy/plan/address_book.hpp"
#include "proxy/serve/metrics.hpp"
#include "proxy/sync/announcer.hpp"
#include "proxy/sync/node_watch.hpp"

namespace proxy {

/// What the objects come from, and what the configuration left open.
struct NodeInputs {
    std::string manifests;                       ///< a folder; empty: the API
    std::optional<api::Access> access;           ///< to the API
    bool node_ip_given = false;                  ///< by the configuration; else the Node object's addresses count
    std::shared_ptr<const RoleParts> role = {};  ///< nullptr: it is the role `node`

    /// What a Service becomes.
    PlanFunction plan() const { return role ? role->plan : PlanFunction(&proxy::plan); }
};

class Feed {
public:
    /// `metrics` must outlive it. Throws when an API server is no URL.
    Feed(boost::asio::io_context& context, const Config& config, const NodeInputs& inputs, Metrics& metrics);
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    api::Source& source() { return *source_; }
    const api::Source& source() const { return *source_; }

    /// The URLs of the API servers; none: of a folder.
    const std::vector<std::string>& server_urls() const { return server_urls_; }

    /// Writes Events to the API; an empty function where there is none.
    const Announcer::Post& post() const { return post_; }

    /// Looks up Nodes of the API; an empty function where there is none.
    const NodeWatch::FindNode& find_node() const { return find_node_; }

    /// `connected` is called for each API server that is named by its address, at once, and for each one that podferry
    /// connects to later.
    void tell_servers(std::function<void(const ServerAddress&)> connected);

private:
    api::ApiHooks hooks_;
    std::vector<std::string> server_urls_;
    std::vector<ServerAddress> servers_;
    std::unique_ptr<api::Source> source_;
    Announcer::Post post_;
    NodeWatch::FindNode find_node_;
};

}  // namespace proxy
