// Runs `podferry edge`: a load balancer without a cluster.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "proxy/config/config.hpp"
#include "proxy/edge/front_end_file.hpp"
#include "proxy/node/node.hpp"

namespace proxy {

struct EdgeOptions {
    std::string path;    ///< of the edge's file
    Config config;       ///< its settings
    EdgeFile file;       ///< what else it says
    std::string commit;  ///< which build this is, for the log
    /// Reads the settings again; nothing: they have mistakes, which stderr names.
    std::function<std::optional<Config>()> read_again;
};

/// What of it the program's frame takes: settings as an edge has them, and the role.
NodeOptions node_options_of(const EdgeOptions& options);

/// Runs until SIGTERM or SIGINT; the data plane stays. Returns the exit status: 0, or 1 after a start that failed.
int run_edge(const EdgeOptions& options);

/// `--check-config`: says the mistakes of the file, holds the settings against this host, and prints them. Returns the
/// exit status: 2 when there are mistakes.
int check_edge(const EdgeOptions& options);

}  // namespace proxy
