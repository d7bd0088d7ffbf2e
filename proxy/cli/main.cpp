// The program: what each command does. Everything else is in the rooms.
#include <CLI/CLI.hpp>

#include <iostream>
#include <iterator>

#include "api/cluster/server_url.hpp"
#include "base/error_words.hpp"
#include "base/file.hpp"
#include "base/plain_text.hpp"
#include "proxy/cli/command_line.hpp"
#include "proxy/cli/version.hpp"
#include "proxy/config/config_beside.hpp"
#include "proxy/config/kube_proxy_config.hpp"
#include "proxy/config/setting_values.hpp"
#include "proxy/config/settings.hpp"
#include "proxy/edge/edge.hpp"
#include "proxy/edge/edge_view.hpp"
#include "proxy/edge/file_source.hpp"
#include "proxy/engine/view.hpp"
#include "proxy/node/kubeadm_file.hpp"
#include "proxy/serve/admin.hpp"

namespace {

constexpr int degraded = 1;
constexpr int usage_error = 2;
constexpr int unreachable = 2;

using proxy::Options;

/// The text of a file. Prints a complaint and returns nullopt when there is none.
std::optional<std::string> read_file(const std::string& path, std::size_t most = base::longest_text_file) {
    auto text = base::read_file(path, most);
    if (text)
        return std::move(*text);
    std::cerr << path
              << (text.error() == std::errc::file_too_large
                      ? ": is longer than " + std::to_string(most >> 20) + " MiB; is it the right file?\n"
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

/// The settings of an edge's file.
std::optional<proxy::Config> edge_settings(const std::string& text, const std::string& file) {
    auto config = proxy::parse_config_beside(text, file, proxy::edge_sections());
    if (config)
        return std::move(*config);
    std::cerr << base::printable_lines(config.error());
    return std::nullopt;
}

std::optional<proxy::Config> read_edge_settings(const std::string& path) {
    const auto text = read_file(path, proxy::longest_edge_file);
    return text ? edge_settings(*text, path) : std::nullopt;
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
    if (!options.kubeadm_config.empty())
        proxy::take_kubeadm_ranges(options.kubeadm_config, node);
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

proxy::InitOptions init_of(const Options& options) {
    proxy::InitOptions init = options.init;
    init.modules = options.init_only != "sysctls";
    init.sysctls = options.init_only != "modules";
    return init;
}

int edge(const Options& options) {
    const auto text = read_file(options.config, proxy::longest_edge_file);
    auto config = text ? edge_settings(*text, options.config) : std::nullopt;
    if (!config)
        return usage_error;
    const proxy::EdgeOptions edge{options.config, std::move(*config), proxy::read_edge_file(*text, options.config),
                                  std::string(proxy::build_commit()),
                                  [path = options.config] { return read_edge_settings(path); }};
    if (!options.init_only.empty())
        return proxy::run_init(proxy::node_options_of(edge), init_of(options));
    return options.check_config ? proxy::check_edge(edge) : proxy::run_edge(edge);
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
    if (!options.init_only.empty())
        return proxy::run_init(*node, init_of(options));
    if (!options.check_config) {
        node->read_again = [options] {
            const auto again = read_node_options(options);
            return again ? std::optional(again->config) : std::nullopt;
        };
        return proxy::run_node(*node);
    }
    for (const auto* words : {&node->first_words, &node->first_warnings})
        for (const std::string& line : *words)
            std::cerr << base::printable(line) << "\n";
    return proxy::check_config(*node);
}

/// A value that a setting reads; prints what is wrong with it.
bool passes(const char* option, const std::string& wrong) {
    if (!wrong.empty())
        std::cerr << option << ": " << base::printable(wrong) << "\n";
    return wrong.empty();
}

int controller(const Options& options) {
    if (options.check_config)
        return proxy::check_controller_config(options.controller.options.config);
    proxy::ControllerOptions controller = options.controller.options;
    bool good =
        passes("--log-format", proxy::read_log_format(controller.log_format, {options.controller.log_format})) &&
        passes("--log-level", proxy::read_log_level(controller.log_level, {options.controller.log_level}));
    if (!options.controller.listen.empty())
        good = passes("--listen", proxy::read_listen(controller.listen, options.controller.listen)) && good;
    for (const std::string& server : controller.api_servers)
        if (const auto url = api::parse_server_url(server); !url)
            good = passes("--api-server", url.error());
    return good ? proxy::run_controller(controller) : usage_error;
}

/// The file may be an edge's.
int cleanup(const Options& options) {
    const auto config =
        options.config.empty() ? std::optional(proxy::default_config()) : read_edge_settings(options.config);
    return config ? proxy::run_cleanup(*config, options.cleanup) : usage_error;
}

/// Prints a page of the running node, as it is or as a table; the exit status, by what `judge` says of the page.
int show(const Options& options, const std::string& page, std::string (*table)(std::string_view),
         bool (*judge)(std::string_view)) {
    try {
        const proxy::Reply reply = proxy::ask(options.show.socket, page);
        if (reply.status != 200) {
            std::cerr << "podferry answered " << reply.status << ": " << base::printable(reply.body) << "\n";
            return degraded;
        }
        std::cout << (options.show.output == "json" ? base::printable_json(reply.body) + "\n" : table(reply.body));
        return judge(reply.body) ? degraded : 0;
    } catch (const proxy::Unreachable& error) {
        std::cerr << "podferry: " << base::printable(base::words_of(error)) << "\n";
        return unreachable;
    }
}

/// Answers probes: readiness or liveness alone, over the socket, where no other process can answer in podferry's place.
int probe(const Options& options) {
    try {
        const proxy::Reply reply = proxy::ask(options.show.socket, options.show.probe.ready ? "/readyz" : "/livez");
        std::cout << base::printable(reply.body) << "\n";
        return reply.status == 200 ? 0 : degraded;
    } catch (const proxy::Unreachable& error) {
        std::cerr << "podferry: " << base::printable(base::words_of(error)) << "\n";
        return unreachable;
    }
}

int run(int argc, char** argv) {
    CLI::App app{proxy::program_meaning};
    app.set_version_flag("--version", "podferry " PODFERRY_VERSION " (" + std::string(proxy::build_commit()) + ")");
    Options options;
    proxy::add_commands(app, options);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int status = app.exit(error);
        return status == 0 ? 0 : usage_error;
    }
    if (app.got_subcommand("node"))
        return node(options);
    if (app.got_subcommand("edge"))
        return edge(options);
    if (app.got_subcommand("backends"))
        return show(options, "/backends", proxy::front_ends_table, proxy::lacks_backends);
    if (app.got_subcommand("controller"))
        return controller(options);
    if (app.got_subcommand("status") && (options.show.probe.ready || options.show.probe.live))
        return probe(options);
    if (app.got_subcommand("status"))
        return show(options, "/status", proxy::status_table, proxy::is_degraded);
    if (app.got_subcommand("services"))
        return show(options, "/services", proxy::services_table, proxy::is_waiting);
    if (app.got_subcommand("migrate"))
        return proxy::run_migrate(options.migrate);
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
