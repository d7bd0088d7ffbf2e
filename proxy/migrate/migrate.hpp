// `podferry migrate`: takes the steps of move_plan.hpp against a cluster, and waits for what they lead to.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "proxy/migrate/move_plan.hpp"

namespace proxy {

/// Where a DaemonSet is.
struct DaemonName {
    std::string space;
    std::string name;
};

struct MigrateOptions {
    std::string kubeconfig;                ///< empty: the pod's service account
    std::vector<std::string> api_servers;  ///< in place of the kubeconfig's or the pod's
    DaemonName podferry{"kube-system", "podferry"};
    DaemonName kube_proxy{"kube-system", "kube-proxy"};
    MoveOptions move;
    std::string timeout = "5m";  ///< for each thing that is waited for; a duration
};

/// Returns when all nodes have been moved, or nothing more can be done. It prints each step. The exit status: 0 all is
/// done; 1 something that it has waited for has not come, or a node was not Ready; 2 it cannot begin. Begun again, it
/// goes on where it was.
int run_migrate(const MigrateOptions& options);

}  // namespace proxy
