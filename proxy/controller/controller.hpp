// The role controller: gives Services of type LoadBalancer their addresses (docs/load-balancer.md).
#pragma once

#include <string>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/controller/elector.hpp"

namespace proxy {

struct ControllerOptions {
    std::string config;                    ///< the file with the pools
    std::string kubeconfig;                ///< empty: the pod's own access
    std::vector<std::string> api_servers;  ///< in place of those of the access
    std::string lease_namespace;           ///< empty: the pod's, or kube-system
    std::string lease_name = "podferry-controller";
    std::string identity;  ///< empty: the host's name and something random
    /// Where /metrics, /livez and /readyz are; none: port 10249 of all addresses.
    std::vector<Listen> listen;
    LeaseTiming timing;
    log::Format log_format = log::Format::text;
    log::Level log_level = log::Level::info;
};

/// Runs until SIGTERM or SIGINT. The exit status: 0, or 1 when it cannot begin, which the log says.
int run_controller(const ControllerOptions& options);

/// Reads the configuration and says what is wrong with it, or which pools there are, on standard output. The exit
/// status: 0 or 1.
int check_controller_config(const std::string& path);

}  // namespace proxy
