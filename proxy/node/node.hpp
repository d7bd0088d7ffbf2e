// Runs `podferry node`, and what its options ask for instead: --check-config, and `podferry cleanup`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/host/privileges.hpp"
#include "proxy/node/role_parts.hpp"

namespace proxy {

struct NodeOptions {
    Config config;
    std::string manifests;                         ///< folder; empty: the Kubernetes API
    std::vector<std::string> first_words;          ///< to be logged at the start
    std::optional<User> user;                      ///< to go on as, once the lock and the socket are there
    std::string commit;                            ///< which build this is, for the log
    std::vector<std::string> first_warnings = {};  ///< to be logged too
    /// Reads the configuration again, as it was read for `config`; nothing: it has mistakes, which stderr names.
    std::function<std::optional<Config>()> read_again = {};
    std::shared_ptr<const RoleParts> role = {};  ///< of another role than `node`
};

/// Runs until SIGTERM or SIGINT; the data plane stays. Returns the exit status: 0, or 1 after a start that failed
/// (the reason has been logged).
int run_node(const NodeOptions& options);

/// `--check-config`: holds the ranges against this node's network, reads the kubeconfig or the manifests, and prints
/// the effective configuration. Returns the exit status: 2 when the configuration cannot be used here, or what it leads
/// to has a mistake.
int check_config(const NodeOptions& options);

struct CleanupOptions {
    std::string proc_sys = "/proc/sys";  ///< where the host's sysctls are
    bool stay = false;                   ///< having cleaned up, wait for SIGTERM: for a DaemonSet
    bool kube_proxy = false;             ///< what kube-proxy has left goes, instead of what is ours
};

/// Removes exactly what is ours from the kernel, or what kube-proxy has left. Returns the exit status.
int run_cleanup(const Config& config, const CleanupOptions& options);

}  // namespace proxy
