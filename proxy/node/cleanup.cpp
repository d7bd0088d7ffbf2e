#include <csignal>
#include <iostream>

#include "netlink/linux_kernel.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/host/host.hpp"
#include "proxy/host/host_settings.hpp"
#include "proxy/host/namespace_lock.hpp"
#include "proxy/host/preflight.hpp"
#include "proxy/host/service_devices.hpp"
#include "proxy/node/kube_proxy_cleanup.hpp"
#include "proxy/node/node.hpp"

namespace proxy {

static int clean_up(const Config& config, const std::string& proc_sys) {
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
    const std::set<Address> theirs = served_by_proxies(read_host_addresses());
    std::vector<netlink::Change> changes;
    std::size_t left = 0;
    for (const auto& [server, content] : state.virtual_servers) {
        if (!recorded_as_ours(server, state))
            continue;
        if (server.mark == 0 && theirs.contains(server.address))
            ++left;  // with its connections
        else
            changes.emplace_back(netlink::DeleteVirtualServer{server});
    }
    const auto refusals = kernel.apply(changes);
    for (const netlink::Refusal& refusal : refusals)
        std::cerr << netlink::to_string(changes[refusal.index]) << ": " << refusal.error.message() << "\n";
    if (!refusals.empty())
        return 1;  // the table and the routes stay: they say which virtual servers are ours
    kernel.remove_table_and_device();
    std::cout << "removed " << changes.size() << " virtual servers, " << state.routes.size() << " routes, "
              << state.elements.size() << " set elements, table inet podferry and device podferry0\n";
    if (left > 0)
        std::cout << "left " << left << " virtual servers to the service proxy that has their addresses now\n";
    if (const std::string ports = release_node_ports(config, proc_sys); !ports.empty())
        std::cout << ports << "\n";
    return 0;
}

int run_cleanup(const Config& given, const CleanupOptions& options) {
    sigset_t ends;
    ::sigemptyset(&ends);
    for (const int signal : {SIGTERM, SIGINT})
        ::sigaddset(&ends, signal);
    if (options.stay)  // as the first process of a container we would not hear them otherwise
        ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const Config config = with_host_defaults(given);
    const int status = options.kube_proxy ? clean_up_after_kube_proxy(config) : clean_up(config, options.proc_sys);
    int signal = 0;
    if (options.stay && status == 0) {
        std::cout << "done; waiting for the end (--stay)" << std::endl;
        ::sigwait(&ends, &signal);
    }
    return status;
}

}  // namespace proxy
