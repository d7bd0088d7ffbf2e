#include "proxy/node/feed.hpp"

#include <utility>

#include "api/folder/folder.hpp"
#include "base/asio_address.hpp"
#include "proxy/sync/cluster.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {

Feed::Feed(boost::asio::io_context& context, const Config& config, const NodeInputs& inputs, Metrics& metrics)
    : hooks_(api_hooks(metrics)) {
    if (inputs.access) {
        server_urls_ = inputs.access->servers;
        servers_ = server_addresses(*inputs.access);
    }
    if (inputs.role) {
        source_ = inputs.role->make_source({context, config, metrics, hooks_, inputs.access});
        return;
    }
    if (!inputs.manifests.empty()) {
        source_ = std::make_unique<api::Folder>(context, api::FolderOptions{inputs.manifests, config.folder_debounce});
        return;
    }
    api::KubernetesOptions options{*inputs.access, config.node_name, config.relist_hold};
    options.resources = api::resources_of_node(config.node_name);
    if (config.second_opinion != CheckMode::off)
        options.resources.push_back(api::pods_of_node(config.node_name));
    if (const api::ObjectName nodes = node_service(config); config.node_check != CheckMode::off && !nodes.name.empty())
        options.resources.push_back(api::slices_of_service(nodes));
    auto cluster = std::make_unique<api::KubernetesSource>(context, std::move(options), hooks_);
    post_ = [&context, raw = cluster.get()](api::EventNote note) { spawn(context, raw->post(std::move(note))); };
    find_node_ = [raw = cluster.get()](std::string name) { return raw->find_node(std::move(name)); };
    source_ = std::move(cluster);
}

void Feed::tell_servers(std::function<void(const ServerAddress&)> connected) {
    for (const ServerAddress& server : servers_)
        connected(server);
    hooks_.connected = [connected = std::move(connected)](const boost::asio::ip::tcp::endpoint& server) {
        connected({base::from_asio(server.address()), server.port()});
    };
}

}  // namespace proxy
