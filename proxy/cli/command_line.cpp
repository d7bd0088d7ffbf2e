#include "proxy/cli/command_line.hpp"

#include <CLI/CLI.hpp>

#include <sstream>

namespace proxy {
namespace {

constexpr const char* exit_statuses = R"(Exit status:
  0  all right
  1  podferry answers, but not all is right: it is not ready, the kernel refuses changes, or there are problems
  2  podferry does not answer, or the command is wrong)";

void add_show_options(CLI::App& command, Options& options) {
    command.footer(exit_statuses);
    command.add_option("-o,--output", options.show.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    command.add_option("--socket", options.show.socket, "the running node's socket (setting `socket`)")
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
    node.add_option(
            "--kubeadm-config", options.kubeadm_config,
            "kubeadm's ClusterConfiguration (ConfigMap kubeadm-config), of which ranges are taken that nothing else "
            "gives; need not be there")
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

void add_node_command(CLI::App& program, Options& options) {
    CLI::App& node = *program.add_subcommand("node", "the service proxy of this node");
    node.add_option("--config", options.config, "configuration file (YAML); without it the defaults hold");
    node.add_option("--kube-proxy-config", options.kube_proxy_config,
                    "kube-proxy's configuration file; says of each of its fields what becomes of it");
    add_source_options(node, options);
    node.add_flag("--check-config", options.check_config,
                  "check the configuration against itself and this node, and the kubeconfig or the manifests; "
                  "print the effective one, and end");
    add_privilege_options(node, options);
}

void add_edge_command(CLI::App& program, Options& options) {
    CLI::App& edge = *program.add_subcommand("edge", "a load balancer of front ends and real servers in a file");
    edge.add_option("--config", options.config, "its file (YAML): settings, and front_ends")->required();
    edge.add_flag("--check-config", options.check_config,
                  "check the file against itself and this host, print the settings, and end");
    edge.add_option("--init-only", options.init_only,
                    "load the kernel's modules, set the sysctls and IPVS's timeouts, and end: for a podferry that may "
                    "not; `modules` or `sysctls`: only these")
        ->expected(0, 1)
        ->default_str("all")
        ->check(CLI::IsMember({"all", "modules", "sysctls"}))
        ->excludes("--check-config");
}

void add_backends_command(CLI::App& program, Options& options) {
    CLI::App& backends = *program.add_subcommand(
        "backends",
        "of a running edge: each front end, and of each of its backends whether it gets connections, "
        "and why not");
    add_show_options(backends, options);
}

void add_controller_command(CLI::App& program, Options& options) {
    CLI::App& controller = *program.add_subcommand(
        "controller", "gives Services of type LoadBalancer their addresses from pools; one of several leads");
    controller
        .add_option("--config", options.controller.options.config,
                    "file with the pools (YAML); read again when it changes")
        ->required();
    controller.add_flag("--check-config", options.check_config, "check that file, say which pools it has, and end");
    controller.add_option("--kubeconfig", options.controller.options.kubeconfig,
                          "how to reach the Kubernetes API; without it the pod's service account");
    controller
        .add_option("--api-server", options.controller.options.api_servers,
                    "https://HOST:PORT, may be given several times; in place of the kubeconfig's or the pod's server")
        ->allow_extra_args(false);
    controller.add_option("--lease-namespace", options.controller.options.lease_namespace,
                          "namespace of the Lease by which one of several leads; without it the pod's, or kube-system");
    controller.add_option("--lease-name", options.controller.options.lease_name, "name of that Lease")
        ->capture_default_str();
    controller
        .add_option("--listen", options.controller.listen,
                    "ADDRESS:PORT of /metrics, /livez and /readyz, may be given several times; without it port 10249 "
                    "of all addresses")
        ->allow_extra_args(false);
    controller.add_option("--log-format", options.controller.log_format, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    controller.add_option("--log-level", options.controller.log_level, "debug, info, warning or error")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
        ->capture_default_str();
}

void add_status_command(CLI::App& program, Options& options) {
    CLI::App& status = *program.add_subcommand("status", "how the running node is: readiness, ranges, problems");
    add_show_options(status, options);
    CLI::Option* ready =
        status.add_flag("--ready", options.show.probe.ready,
                        "for a probe: what /readyz says, and 0 when it is ready, 1 when not, 2 without an answer");
    status.add_flag("--live", options.show.probe.live, "the same of /livez")->excludes(ready);
}

void add_cleanup_command(CLI::App& program, Options& options) {
    CLI::App& cleanup = *program.add_subcommand("cleanup", "remove exactly what is podferry's from the kernel");
    cleanup.add_option("--config", options.config, "configuration file, for route_protocol and state_dir");
    cleanup.add_option("--proc-sys", options.cleanup.proc_sys, "where the host's /proc/sys is seen, writable")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    cleanup.add_flag(
        "--kube-proxy", options.cleanup.kube_proxy,
        "instead of podferry's, what kube-proxy has left: kube-ipvs0 with its virtual servers, KUBE-* chains of "
        "iptables-nft, ipsets, tables kube-proxy; end kube-proxy first");
    cleanup.add_flag("--stay", options.cleanup.stay,
                     "then wait for SIGTERM: in a DaemonSet, that it is not done again");
}

void add_migrate_command(CLI::App& program, Options& options) {
    CLI::App& migrate = *program.add_subcommand(
        "migrate", "move a cluster from kube-proxy to podferry, node by node; each has a service proxy all the time");
    migrate.footer(R"(Exit status:
  0  all nodes are moved
  1  something that was waited for has not come, or a node is not Ready; begun again, it goes on where it was
  2  it cannot begin, or the command is wrong)");
    MigrateOptions& move = options.migrate;
    migrate.add_flag_callback(
        "--back", [&move] { move.move.direction = Direction::to_kube_proxy; }, "from podferry to kube-proxy");
    migrate
        .add_option("--node", move.move.only,
                    "move only this node; may be given several times, as for a first one to try")
        ->allow_extra_args(false);
    migrate.add_option("--timeout", move.timeout, "how long each node's pods are waited for")->capture_default_str();
    migrate.add_option("--kubeconfig", move.kubeconfig,
                       "how to reach the Kubernetes API; without it the pod's service account, or what kubectl takes");
    migrate
        .add_option("--api-server", move.api_servers,
                    "https://HOST:PORT, may be given several times; in place of the kubeconfig's or the pod's server")
        ->allow_extra_args(false);
    migrate.add_option("--namespace", move.podferry.space, "of podferry's DaemonSet")->capture_default_str();
    migrate.add_option("--daemonset", move.podferry.name, "name of podferry's DaemonSet")->capture_default_str();
    migrate.add_option("--kube-proxy-namespace", move.kube_proxy.space, "of kube-proxy's DaemonSet")
        ->capture_default_str();
    migrate.add_option("--kube-proxy-daemonset", move.kube_proxy.name, "name of kube-proxy's DaemonSet")
        ->capture_default_str();
}

/// The choices of "TEXT:{table,json}", which is how CLI11 tells them.
std::vector<std::string> choices_of(const std::string& type) {
    std::vector<std::string> choices;
    const auto begin = type.find('{');
    const auto end = type.find('}');
    if (begin == std::string::npos || end == std::string::npos)
        return choices;
    std::istringstream list(type.substr(begin + 1, end - begin - 1));
    for (std::string choice; std::getline(list, choice, ',');)
        choices.push_back(choice);
    return choices;
}

OptionDescription describe_option(const CLI::Option& option) {
    OptionDescription description;
    for (const std::string& name : option.get_snames())
        description.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames())
        description.names.push_back("--" + name);
    description.meaning = option.get_description();
    if (option.get_items_expected_max() == 0)
        return description;
    const std::string type = option.get_type_name();
    description.choices = choices_of(type);
    description.value = ValueKind::text;
    if (!description.choices.empty())
        description.value = ValueKind::choice;
    else if (type.find("DIR") != std::string::npos)
        description.value = ValueKind::directory;
    description.value_may_be_absent = option.get_expected_min() == 0;
    description.default_value = option.get_default_str();
    return description;
}

}  // namespace

void add_commands(CLI::App& program, Options& options) {
    program.require_subcommand(1);
    add_node_command(program, options);
    add_edge_command(program, options);
    add_controller_command(program, options);
    add_status_command(program, options);
    CLI::App& services = *program.add_subcommand(
        "services",
        "each front end of each Service: whose it is, and which endpoints clients get from outside and from "
        "inside (pods and this node), as the kernel has it");
    add_show_options(services, options);
    add_backends_command(program, options);
    add_cleanup_command(program, options);
    add_migrate_command(program, options);
}

CommandDescription describe(const CLI::App& program) {
    CommandDescription description{program.get_name(), program.get_description(), program.get_footer(), {}, {}};
    for (const CLI::Option* option : program.get_options())
        description.options.push_back(describe_option(*option));
    const std::function<bool(const CLI::App*)> all = [](const CLI::App*) { return true; };
    for (const CLI::App* command : program.get_subcommands(all))
        description.commands.push_back(describe(*command));
    return description;
}

}  // namespace proxy
