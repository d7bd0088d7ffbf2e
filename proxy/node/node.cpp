#include "proxy/node/node.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "base/plain_text.hpp"
#include "base/rethrow.hpp"
#include "proxy/host/descriptors.hpp"
#include "proxy/host/host.hpp"
#include "proxy/host/host_settings.hpp"
#include "proxy/host/namespace_lock.hpp"
#include "proxy/host/preflight.hpp"
#include "proxy/log/error_words.hpp"
#include "proxy/log/log.hpp"
#include "proxy/node/check_inputs.hpp"
#include "proxy/node/node_loop.hpp"
#include "proxy/serve/admin.hpp"
#include "proxy/sync/cluster.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;

Reply metrics_page(NodeLoop& node) {
    return {200, "text/plain; version=0.0.4; charset=utf-8", node.metrics(), {}};
}

/// On the socket alone, which is root's.
Pages operator_pages(NodeLoop& node) {
    return {{"/status", [&] { return Reply{200, "application/json", to_json(node.status())}; }},
            {"/services", [&] { return node.services(); }},
            {"/metrics", [&] { return metrics_page(node); }}};
}

/// Numbers, and kube-proxy's pages (cmd/kube-proxy/app/server.go). Nothing that names a Service or a pod: whoever
/// reaches the port may read them.
Pages metrics_pages(NodeLoop& node) {
    return {{"/metrics", [&] { return metrics_page(node); }},
            {"/proxyMode", [] { return Reply{200, "text/plain; charset=utf-8", "ipvs", {}}; }},
            {"/healthz", [] { return Reply{200, "text/plain; charset=utf-8", "ok", {}}; }}};
}

Pages health_pages(NodeLoop& node) {
    return {{"/healthz", [&] { return node.healthz(); }},
            {"/livez", [&] { return node.livez(); }},
            {"/readyz", [&] { return node.readyz(); }}};
}

/// A page on TCP: its setting, and the reason of the Event that says it is not there.
struct TcpPage {
    const char* setting;
    const char* reason;
};

tcp::endpoint endpoint_of(const Listen& where) {
    return {asio::ip::make_address(where.address.to_string() + where.zone), where.port};
}

/// A busy port does not keep connections from being carried, unless the configuration wants it so.
void serve_tcp(asio::io_context& context, NodeLoop& node, const Listen& where, const Pages& pages, TcpPage page,
               bool hard_fail) {
    const std::string what = std::string(page.setting) + " " + netlink::endpoint_text(where.address, where.port);
    const auto tell = [&node, what, page, hard_fail](const std::string& why) {
        if (!why.empty() && hard_fail)
            throw std::runtime_error(what + " cannot be listened on: " + why + " (bind_address_hard_fail is true)");
        node.note_listener(page.setting, page.reason,
                           why.empty() ? "" : what + " cannot be listened on: " + why + "; tried again every 5 s");
    };
    asio::co_spawn(context, serve_when_free(endpoint_of(where), pages, tell), base::rethrow);
}

/// The lock has made sure that a socket that is there is left over from a podferry that was killed.
stream_protocol::acceptor listen_on(asio::io_context& context, const std::string& path) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    ::unlink(path.c_str());
    try {
        stream_protocol::acceptor acceptor(context, stream_protocol::endpoint(path));
        ::chmod(path.c_str(), 0600);
        return acceptor;
    } catch (const std::exception& error) {
        throw std::runtime_error("socket " + path + " cannot be listened on: " + words_of(error));
    }
}

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

void run(const Config& config, NodeInputs inputs, const NamespaceLock& lock, const std::optional<User>& user,
         Time began) {
    asio::io_context context(1);
    asio::co_spawn(context, lock.answer(context), asio::detached);
    auto socket = listen_on(context, config.socket);  // root's, as those who ask there
    if (user)
        become(*user);
    NodeLoop node(context, config, std::move(inputs), began);
    const Pages for_operators = operator_pages(node);
    const Pages for_metrics = metrics_pages(node);
    const Pages for_health = health_pages(node);
    for (const Listen& where : config.metrics_bind_address)
        serve_tcp(context, node, where, for_metrics, {"metrics_bind_address", "FailedToStartMetricServer"},
                  config.bind_address_hard_fail);
    for (const Listen& where : config.healthz_bind_address)
        serve_tcp(context, node, where, for_health, {"healthz_bind_address", "FailedToStartProxierHealthcheck"},
                  config.bind_address_hard_fail);
    asio::co_spawn(context, serve(std::move(socket), for_operators), asio::detached);
    asio::signal_set signals(context, SIGTERM, SIGINT);
    signals.async_wait([&](const boost::system::error_code&, int) {
        log::info("stopping; what is in the kernel stays and goes on carrying connections");
        context.stop();
    });
    node.start();
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
        NodeInputs inputs{options.manifests, {}, !options.config.node_ip.empty()};
        log::info("starting", {{"version", PODFERRY_VERSION},
                               {"commit", options.commit},
                               {"source", inputs.manifests.empty() ? "the Kubernetes API" : inputs.manifests},
                               {"node", config.node_name}});
        for (const std::string& words : options.first_words)
            log::info(words);
        if (inputs.manifests.empty()) {
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
        run(config, std::move(inputs), *only_one, options.user, began);
        return 0;
    } catch (const std::exception& error) {
        log::error(words_of(error));
        return 1;
    }
}

int check_config(const NodeOptions& options) {
    const Config config = with_host_defaults(options.config);
    Findings findings = check_host(config);
    for (std::string& problem :
         node_port_problems(config, facts_of(config, netlink::host_addresses()).node_port_addresses))
        findings.warnings.push_back(std::move(problem));
    const Findings inputs = check_inputs(config, options.manifests);
    findings.errors.insert(findings.errors.end(), inputs.errors.begin(), inputs.errors.end());
    findings.warnings.insert(findings.warnings.end(), inputs.warnings.begin(), inputs.warnings.end());
    for (const std::string& warning : findings.warnings)
        std::cerr << "warning: " << base::printable(warning) << "\n";
    for (const std::string& error : findings.errors)
        std::cerr << "error: " << base::printable(error) << "\n";
    if (!findings.errors.empty())
        return 2;
    std::cout << base::printable_lines(to_yaml(config));
    return 0;
}

int run_cleanup(const Config& given) {
    const Config config = with_host_defaults(given);
    const auto lock = InstanceLock::acquire(config.state_dir);
    if (!lock) {
        std::cerr << lock.error() << "\n";
        return 1;
    }
    const auto only_one = NamespaceLock::acquire();
    if (!only_one) {
        std::cerr << only_one.error() << "\n";
        return 1;
    }
    if (const auto missing = check_kernel(config).errors; !missing.empty()) {
        std::cerr << missing.front() << "\n";
        return 1;
    }
    netlink::LinuxKernelOptions options;
    options.route_protocol = config.route_protocol;
    netlink::LinuxKernel kernel(options);
    const netlink::KernelState state = kernel.read();
    std::vector<netlink::Change> changes;
    for (const auto& [server, content] : state.virtual_servers)
        if (recorded_as_ours(server, state))
            changes.emplace_back(netlink::DeleteVirtualServer{server});
    const auto refusals = kernel.apply(changes);
    for (const netlink::Refusal& refusal : refusals)
        std::cerr << netlink::to_string(changes[refusal.index]) << ": " << refusal.error.message() << "\n";
    if (!refusals.empty())
        return 1;  // the table and the routes stay: they say which virtual servers are ours
    kernel.remove_table_and_device();
    std::cout << "removed " << changes.size() << " virtual servers, " << state.routes.size() << " routes, "
              << state.elements.size() << " set elements, table inet podferry and device podferry0\n";
    if (const std::string ports = release_node_ports(config); !ports.empty())
        std::cout << ports << "\n";
    return 0;
}

}  // namespace proxy
