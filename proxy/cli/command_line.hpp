// The command line: commands and their options, which help, the manual page and completion are made from.
#pragma once

#include <string>
#include <vector>

#include "proxy/cli/manual.hpp"
#include "proxy/controller/controller.hpp"
#include "proxy/migrate/migrate.hpp"
#include "proxy/node/init.hpp"
#include "proxy/node/node.hpp"

namespace CLI {
class App;
}

namespace proxy {

constexpr const char* program_meaning = "podferry: carries every connection to a live pod";

/// What a probe asks for, in place of the whole status.
struct ProbeQuestion {
    bool ready = false;
    bool live = false;
};

/// Of commands that ask a running podferry.
struct ShowOptions {
    std::string socket = "/run/podferry/podferry.sock";
    std::string output = "table";
    ProbeQuestion probe;
};

/// Some of its options are read as settings are.
struct ControllerCommand {
    ControllerOptions options;
    std::vector<std::string> listen;
    std::string log_format = "text";
    std::string log_level = "info";
};

struct Options {
    std::string config;
    std::string kube_proxy_config;
    std::string kubeadm_config;
    std::string manifests;
    std::string kubeconfig;
    std::vector<std::string> api_servers;
    std::string node_name;
    std::string user;
    bool check_config = false;
    std::string init_only;
    InitOptions init;
    ShowOptions show;
    CleanupOptions cleanup;
    MigrateOptions migrate;
    ControllerCommand controller;
};

/// Adds all commands to the program; parsing fills `options`, which must live as long.
void add_commands(CLI::App& program, Options& options);

/// What the program and its commands say of themselves.
CommandDescription describe(const CLI::App& program);

}  // namespace proxy
