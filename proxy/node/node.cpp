#include "proxy/node/node.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "base/error_words.hpp"
#include "proxy/host/descriptors.hpp"
#include "proxy/host/host.hpp"
#include "proxy/host/namespace_lock.hpp"
#include "proxy/host/preflight.hpp"
#include "proxy/host/service_manager.hpp"
#include "proxy/log/log.hpp"
#include "proxy/node/pages.hpp"
#include "proxy/node/reloading.hpp"
#include "proxy/node/running_node.hpp"
#include "proxy/sync/cluster.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;

/// The state_dir is the user's from then on.
tl::expected<InstanceLock, std::string> lock_state(const Config& config, const std::optional<User>& user) {
    if (!user)
        return InstanceLock::acquire(config.state_dir);
    if (::geteuid() != 0)
        return tl::unexpected(
            std::string("--user: only root can become another user; leave it out, and start podferry as that user"));
    give_folder(config.state_dir, *user);
    const FilesAs as_user(*user);
    return InstanceLock::acquire(config.state_dir);
}

void run(const Config& config, const NodeInputs& inputs, const NamespaceLock& lock, const NodeOptions& options,
         Time began) {
    asio::io_context context(1);
    const ServiceManager manager;
    asio::co_spawn(context, lock.answer(context), asio::detached);
    auto socket = listen_on_socket(context, config.socket);  // root's, as those who ask there
    if (options.user)
        become(*options.user);
    RunningNode node(context, config, inputs, began);
    NodePages pages(node.parts(), options.role ? options.role->pages : Pages{});
    pages.serve(std::move(socket));
    asio::signal_set signals(context, SIGTERM, SIGINT);
    asio::co_spawn(context, manager.keep_alive(context), asio::detached);
    asio::co_spawn(context, reload_on_hangup(context, options, manager), asio::detached);
    signals.async_wait([&](const boost::system::error_code&, int) {
        manager.tell("STOPPING=1");
        log::info("stopping; what is in the kernel stays and goes on carrying connections");
        context.stop();
    });
    node.start();
    manager.tell("READY=1");  // it runs; what it waits for, /readyz says
    context.run();
    ::unlink(config.socket.c_str());
}

}  // namespace

int run_node(const NodeOptions& options) {
    const Time began = std::chrono::steady_clock::now();
    log::configure(options.config.log_format, options.config.log_level);
    raise_descriptor_limit();
    try {
        const Config config = with_host_defaults(options.config);
        NodeInputs inputs{options.manifests, {}, !options.config.node_ip.empty(), options.role};
        const std::string own_source = inputs.manifests.empty() ? "the Kubernetes API" : inputs.manifests;
        log::info("starting", {{"version", PODFERRY_VERSION},
                               {"commit", options.commit},
                               {"source", options.role ? options.role->source_name : own_source},
                               {"node", config.node_name}});
        for (const std::string& words : options.first_words)
            log::info(words);
        for (const std::string& words : options.first_warnings)
            log::warning(words);
        if (options.role ? options.role->needs_api : inputs.manifests.empty()) {
            auto access = access_of(config);
            if (!access) {
                log::error(access.error());
                return 1;
            }
            if (access->insecure_skip_tls_verify)
                log::warning(
                    "insecure-skip-tls-verify: whoever answers for the API server is believed, and gets our token");
            inputs.access = std::move(*access);
        }
        const bool kernel_fits = passes(check_kernel(config));
        if (!passes(check_host(config)) || !kernel_fits)
            return 1;
        const auto lock = lock_state(config, options.user);
        if (!lock) {
            log::error(lock.error());
            return 1;
        }
        const auto only_one = NamespaceLock::acquire();
        if (!only_one) {
            log::error(only_one.error());
            return 1;
        }
        if (!only_one->warning().empty())
            log::warning(only_one->warning());
        run(config, inputs, *only_one, options, began);
        return 0;
    } catch (const std::exception& error) {
        log::error(base::words_of(error));
        return 1;
    }
}

}  // namespace proxy
