// The program: commands and their options. Everything else is in the rooms.
#include <CLI/CLI.hpp>

#include <iostream>
#include <iterator>

#include "api/cluster/server_url.hpp"
#include "base/error_words.hpp"
#include "base/file.hpp"
#include "base/plain_text.hpp"
#include "proxy/cli/version.hpp"
#include "proxy/config/config.hpp"
#include "proxy/config/kube_proxy_config.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/engine/view.hpp"
#include "proxy/node/init.hpp"
#include "proxy/node/node.hpp"
#include "proxy/serve/admin.hpp"

namespace {

constexpr int degraded = 1;
constexpr int usage_error = 2;
constexpr int unreachable = 2;

constexpr const char* exit_statuses = R"(Exit status:
  0  all right
  1  podferry answers, but not all is right: it is not ready, the kernel refuses changes, or there are problems
  2  podferry does not answer, or the command is wrong)";

struct Options {
    std::string config;
    std::string kube_proxy_config;
    std::string manifests;
    std::string kubeconfig;
    std::vector<std::string> api_servers;
    std::string node_name;
    std::string user;
    bool check_config = false;
    std::string init_only;
    proxy::InitOptions init;
    std::string socket = "/run/podferry/podferry.sock";
    std::string output = "table";
    bool ready = false;
    bool live = false;
    proxy::CleanupOptions cleanup;
};

/// The text of a file. Prints a complaint and returns nullopt when there is none.
std::optional<std::string> read_file(const std::string& path) {
    auto text = base::read_file(path);
    if (text)
        return std::move(*text);
    std::cerr << path
              << (text.error() == std::errc::file_too_large
                      ? ": is longer than 1 MiB; is it the right file?\n"
                      : ": cannot be read; is the path right, and readable for this user?\n");
    return std::nullopt;
}

/// What `read` makes of the text. Prints mistakes and returns nullopt.
template <class Read>
auto read_from(const std::string& path, Read read) {
    std::optional<typename decltype(read(std::string(), path))::value_type> result;
    const auto text = read_file(path);
    if (!text)
        return result;
    auto read_ = read(*text, path);
    if (read_)
        result = std::move(*read_);
    else
        std::cerr << base::printable_lines(read_.error());
    return result;
}

/// The configuration of a file, or the default one without a file.
std::optional<proxy::Config> read_config(const std::string& path) {
    if (path.empty())
        return proxy::default_config();
    return read_from(path,
                     [](const std::string& text, const std::string& file) { return proxy::parse_config(text, file); });
}

/// What kube-proxy's file sets wins over our own, and options win over both.
std::optional<proxy::NodeOptions> read_node_options(const Options& options) {
    auto config = read_config(options.config);
    if (!config)
        return std::nullopt;
    proxy::NodeOptions node{std::move(*config), options.manifests, {}, {}, std::string(proxy::build_commit()), {}};
    if (!options.user.empty()) {
        const auto user = proxy::parse_user(options.user);
        if (!user) {
            std::cerr << "--user: " << user.error() << "\n";
            return std::nullopt;
        }
        node.user = *user;
    }
    if (!options.kube_proxy_config.empty()) {
        auto migration = read_from(options.kube_proxy_config, [&](const std::string& text, const std::string& file) {
            return proxy::read_kube_proxy_config(text, file, node.config);
        });
        if (!migration)
            return std::nullopt;
        node.config = std::move(migration->config);
        for (const std::string& line : migration->lines)
            node.first_words.push_back(options.kube_proxy_config + ": " + line);
    }
    if (!options.kubeconfig.empty())
        node.config.kubeconfig = options.kubeconfig;
    if (!options.api_servers.empty())
        node.config.api_servers = options.api_servers;
    if (!options.node_name.empty())
        node.config.node_name = options.node_name;
    const auto wrong = proxy::contradictions(node.config);
    for (const std::string& contradiction : wrong)
        std::cerr << base::printable(contradiction) << "\n";
    return wrong.empty() ? std::optional(std::move(node)) : std::nullopt;
}

int node(const Options& options) {
    auto node = read_node_options(options);
    if (!node)
        return usage_error;
    for (const std::string& server : node->config.api_servers)
        if (const auto url = api::parse_server_url(server); !url) {
            std::cerr << "--api-server: " << base::printable(url.error()) << "\n";
            return usage_error;
        }
    if (!options.init_only.empty()) {
        proxy::InitOptions init = options.init;
        init.modules = options.init_only != "sysctls";
        init.sysctls = options.init_only != "modules";
        return proxy::run_init(*node, init);
    }
    if (!options.check_config) {
        node->read_again = [options] {
            const auto again = read_node_options(options);
            return again ? std::optional(again->config) : std::nullopt;
        };
        return proxy::run_node(*node);
    }
    for (const std::string& words : node->first_words)
        std::cerr << base::printable(words) << "\n";
    return proxy::check_config(*node);
}

int cleanup(const Options& options) {
    const auto config = read_config(options.config);
    return config ? proxy::run_cleanup(*config, options.cleanup) : usage_error;
}

/// Prints a page of the running node, as it is or as a table; the exit status, by what `judge` says of the page.
int show(const Options& options, const std::string& page, std::string (*table)(std::string_view),
         bool (*judge)(std::string_view)) {
    try {
        const proxy::Reply reply = proxy::ask(options.socket, page);
        if (reply.status != 200) {
            std::cerr << "podferry answered " << reply.status << ": " << base::printable(reply.body) << "\n";
            return degraded;
        }
        std::cout << (options.output == "json" ? base::printable_json(reply.body) + "\n" : table(reply.body));
        return judge(reply.body) ? degraded : 0;
    } catch (const proxy::Unreachable& error) {
        std::cerr << "podferry: " << base::printable(base::words_of(error)) << "\n";
        return unreachable;
    }
}

/// Answers probes: readiness or liveness alone, over the socket, where no other process can answer in podferry's place.
int probe(const Options& options) {
    try {
        const proxy::Reply reply = proxy::ask(options.socket, options.ready ? "/readyz" : "/livez");
        std::cout << base::printable(reply.body) << "\n";
        return reply.status == 200 ? 0 : degraded;
    } catch (const proxy::Unreachable& error) {
        std::cerr << "podferry: " << base::printable(base::words_of(error)) << "\n";
        return unreachable;
    }
}

void add_show_options(CLI::App& command, Options& options) {
    command.footer(exit_statuses);
    command.add_option("-o,--output", options.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    command.add_option("--socket", options.socket, "the running node's socket (setting `socket`)")
        ->capture_default_str();
}

void add_source_options(CLI::App& node, Options& options) {
    CLI::Option* manifests =
        node.add_option("--manifests", options.manifests,
                        "folder of Kubernetes manifests, watched for changes; without it the Kubernetes API");
    node.add_option("--kubeconfig", options.kubeconfig,
                    "how to reach the Kubernetes API; without it the pod's service account")
        ->excludes(manifests);
    node.add_option("--api-server", options.api_servers,
                    "https://HOST:PORT, may be given several times; in place of the kubeconfig's or the pod's server")
        ->allow_extra_args(false)
        ->excludes(manifests);
    node.add_option("--node-name", options.node_name, "name of this node; the name of its Node object");
}

/// What a container of its own does before podferry starts, or root before it becomes another user.
void add_privilege_options(CLI::App& node, Options& options) {
    CLI::Option* init_only = node.add_option("--init-only", options.init_only,
                                             "load the kernel's modules (takes CAP_SYS_MODULE), set the sysctls and "
                                             "IPVS's timeouts (CAP_NET_ADMIN), "
                                             "and end: for a podferry that may not; `modules` or `sysctls`: only these")
                                 ->expected(0, 1)
                                 ->default_str("all")
                                 ->check(CLI::IsMember({"all", "modules", "sysctls"}))
                                 ->excludes("--check-config");
    node.add_option("--proc-sys", options.init.proc_sys,
                    "with --init-only: where the host's /proc/sys is seen, writable")
        ->needs(init_only)
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    node.add_option(
            "--user", options.user,
            "UID or UID:GID: started as root, go on as that user with CAP_NET_ADMIN alone; state_dir becomes the "
            "user's")
        ->excludes(init_only);
}

CLI::App& add_node_command(CLI::App& app, Options& options) {
    CLI::App& node = *app.add_subcommand("node", "the service proxy of this node");
    node.add_option("--config", options.config, "configuration file (YAML); without it the defaults hold");
    node.add_option("--kube-proxy-config", options.kube_proxy_config,
                    "kube-proxy's configuration file; says of each of its fields what becomes of it");
    add_source_options(node, options);
    node.add_flag("--check-config", options.check_config,
                  "check the configuration against itself and this node, and the kubeconfig or the manifests; "
                  "print the effective one, and end");
    add_privilege_options(node, options);
    return node;
}

int run(int argc, char** argv) {
    CLI::App app{"podferry: carries every connection to a live pod"};
    app.set_version_flag("--version", "podferry " PODFERRY_VERSION " (" + std::string(proxy::build_commit()) + ")");
    app.require_subcommand(1);
    Options options;
    const CLI::App& node_command = add_node_command(app, options);
    CLI::App& status_command = *app.add_subcommand("status", "how the running node is: readiness, ranges, problems");
    add_show_options(status_command, options);
    CLI::Option* ready = status_command.add_flag(
        "--ready", options.ready,
        "for a probe: what /readyz says, and 0 when it is ready, 1 when not, 2 without an answer");
    status_command.add_flag("--live", options.live, "the same of /livez")->excludes(ready);
    CLI::App& services_command = *app.add_subcommand(
        "services",
        "each front end of each Service: whose it is, and which endpoints clients get from outside and from "
        "inside (pods and this node), as the kernel has it");
    add_show_options(services_command, options);
    CLI::App& cleanup_command = *app.add_subcommand("cleanup", "remove exactly what is podferry's from the kernel");
    cleanup_command.add_option("--config", options.config, "configuration file, for route_protocol and state_dir");
    cleanup_command.add_option("--proc-sys", options.cleanup.proc_sys, "where the host's /proc/sys is seen, writable")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    cleanup_command.add_flag("--stay", options.cleanup.stay,
                             "then wait for SIGTERM: in a DaemonSet, that it is not done again");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = app.exit(error);
        return status == 0 ? 0 : usage_error;
    }
    if (node_command)
        return node(options);
    if (status_command && (options.ready || options.live))
        return probe(options);
    if (status_command)
        return show(options, "/status", proxy::status_table, proxy::is_degraded);
    if (services_command)
        return show(options, "/services", proxy::services_table, proxy::is_waiting);
    return cleanup(options);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "podferry: " << base::printable(base::words_of(error)) << "\n";
        return 1;
    }
}
