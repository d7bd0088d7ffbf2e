// The program: commands and their options. Everything else is in the rooms.
#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

#include "proxy/admin.hpp"
#include "proxy/config.hpp"
#include "proxy/node.hpp"
#include "proxy/view.hpp"

namespace {

constexpr int usage_error = 2;

struct Options {
    std::string config;
    std::string manifests;
    bool check_config = false;
    std::string socket = "/run/podferry/podferry.sock";
    std::string output = "table";
};

/// The configuration of a file, or the default one without a file. Prints mistakes and returns nullopt.
std::optional<proxy::Config> read_config(const std::string& path) {
    if (path.empty())
        return proxy::default_config();
    std::ifstream file(path);
    if (!file) {
        std::cerr << path << ": cannot be read; is the path right, and readable for this user?\n";
        return std::nullopt;
    }
    auto config = proxy::parse_config(std::string(std::istreambuf_iterator<char>(file), {}), path);
    if (!config) {
        std::cerr << config.error();
        return std::nullopt;
    }
    return *config;
}

int node(const Options& options) {
    auto config = read_config(options.config);
    if (!config)
        return usage_error;
    if (options.check_config)
        return proxy::check_config(*config);
    if (options.manifests.empty()) {
        std::cerr << "podferry node: --manifests DIR says where the Kubernetes manifests are; it is needed\n";
        return usage_error;
    }
    return proxy::run_node({std::move(*config), options.manifests});
}

int cleanup(const Options& options) {
    const auto config = read_config(options.config);
    return config ? proxy::run_cleanup(*config) : usage_error;
}

/// Prints a page of the running node, as it is or as a table.
int show(const Options& options, const std::string& page, std::string (*table)(std::string_view)) {
    const proxy::Reply reply = proxy::ask(options.socket, page);
    if (reply.status != 200) {
        std::cerr << "podferry answered " << reply.status << ": " << reply.body << "\n";
        return 1;
    }
    std::cout << (options.output == "json" ? reply.body + "\n" : table(reply.body));
    return 0;
}

void add_show_options(CLI::App& command, Options& options) {
    command.add_option("-o,--output", options.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    command.add_option("--socket", options.socket, "the running node's socket (setting `socket`)")
        ->capture_default_str();
}

int run(int argc, char** argv) {
    CLI::App app{"podferry: carries every connection to a live pod"};
    app.set_version_flag("--version", "podferry " PODFERRY_VERSION);
    app.require_subcommand(1);
    Options options;

    CLI::App& node_command = *app.add_subcommand("node", "the service proxy of this node");
    node_command.add_option("--config", options.config, "configuration file (YAML); without it the defaults hold");
    node_command.add_option("--manifests", options.manifests, "folder of Kubernetes manifests, watched for changes");
    node_command.add_flag("--check-config", options.check_config,
                          "check the configuration against itself and this node, print the effective one, and end");
    CLI::App& status_command = *app.add_subcommand("status", "how the running node is: readiness, ranges, problems");
    add_show_options(status_command, options);
    CLI::App& services_command = *app.add_subcommand("services", "the Services that it carries, and to which pods");
    add_show_options(services_command, options);
    CLI::App& cleanup_command = *app.add_subcommand("cleanup", "remove exactly what is podferry's from the kernel");
    cleanup_command.add_option("--config", options.config, "configuration file, for route_protocol and state_dir");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = app.exit(error);
        return status == 0 ? 0 : usage_error;
    }
    if (node_command)
        return node(options);
    if (status_command)
        return show(options, "/status", proxy::status_table);
    if (services_command)
        return show(options, "/services", proxy::services_table);
    return cleanup(options);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "podferry: " << error.what() << "\n";
        return 1;
    }
}
