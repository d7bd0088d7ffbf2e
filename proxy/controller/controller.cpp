#include "proxy/controller/controller.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/algorithm/string/trim.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>

#include "base/error_words.hpp"
#include "base/file.hpp"
#include "base/plain_text.hpp"
#include "proxy/controller/running_controller.hpp"
#include "proxy/log/log.hpp"
#include "proxy/sync/cluster.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;

constexpr const char* namespace_file = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Of this process alone: what an earlier one has sent is not ours.
std::string new_identity() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    std::random_device random;
    return fmt::format("{}_{:08x}{:08x}", host.data(), random(), random());
}

/// Unlike a node's proxy it is a pod among others: Service `kubernetes` carries it, and its variables say where that
/// is.
std::vector<std::string> server_of_pod() {
    const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (host == nullptr || port == nullptr)
        return {};
    const bool v6 = std::string_view(host).find(':') != std::string_view::npos;
    return {fmt::format(fmt::runtime(v6 ? "https://[{}]:{}" : "https://{}:{}"), host, port)};
}

ControllerOptions with_defaults(ControllerOptions options) {
    if (options.api_servers.empty() && options.kubeconfig.empty())
        options.api_servers = server_of_pod();
    if (options.identity.empty())
        options.identity = new_identity();
    if (options.lease_namespace.empty()) {
        const auto text = base::read_file(namespace_file);
        options.lease_namespace = text ? boost::algorithm::trim_copy(*text) : "kube-system";
    }
    return options;
}

/// A time after the other, until somebody stops it.
void run(const ControllerOptions& options, const api::Access& access, PoolFile& file) {
    ControllerMetrics metrics;
    metrics.set_config(true, false);
    for (bool stopped = false; !stopped;) {
        asio::io_context context(1);
        RunningController controller(context, options, access, file, metrics);
        asio::signal_set signals(context, SIGTERM, SIGINT);
        const std::function<void()> await_signal = [&] {
            signals.async_wait([&](const boost::system::error_code& error, int) {
                if (error)
                    return;
                controller.stop();
                await_signal();
            });
        };
        await_signal();
        controller.start();
        context.run();
        stopped = controller.stopped();
    }
}

}  // namespace

int run_controller(const ControllerOptions& given) {
    const ControllerOptions options = with_defaults(given);
    log::configure(options.log_format, options.log_level);
    try {
        PoolFile file(options.config);
        file.read();
        if (!file.config()) {
            log::error("the configuration has mistakes", {{"mistakes", file.problem()}});
            return 1;
        }
        Config config = default_config();
        config.kubeconfig = options.kubeconfig;
        config.api_servers = options.api_servers;
        const auto access = access_of(config);
        if (!access) {
            log::error(access.error());
            return 1;
        }
        log::info("starting", {{"version", PODFERRY_VERSION},
                               {"role", "controller"},
                               {"pools", std::to_string(file.config()->pools.size())}});
        run(options, *access, file);
        return 0;
    } catch (const std::exception& error) {
        log::error(base::words_of(error));
        return 1;
    }
}

int check_controller_config(const std::string& path) {
    PoolFile file(path);
    file.read();
    if (!file.config()) {
        std::cerr << base::printable_lines(file.problem());
        return 1;
    }
    for (const AddressPool& pool : file.config()->pools)
        std::cout << fmt::format("pool {}: {} IPv4 and {} IPv6 addresses{}\n", pool.name, pool.size(api::Family::ipv4),
                                 pool.size(api::Family::ipv6), pool.auto_assign ? "" : ", for who asks for it");
    return 0;
}

}  // namespace proxy
