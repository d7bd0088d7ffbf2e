#include "proxy/node/check_inputs.hpp"

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <iostream>
#include <sstream>

#include "api/cluster/credentials.hpp"
#include "api/folder/folder.hpp"
#include "base/plain_text.hpp"
#include "proxy/engine/engine_problems.hpp"
#include "proxy/host/host.hpp"
#include "proxy/host/service_devices.hpp"
#include "proxy/node/node.hpp"
#include "proxy/sync/api_lookup.hpp"
#include "proxy/sync/cluster.hpp"

namespace proxy {
namespace {

/// Mistakes of single objects, and those that several make together: an address or a node port that is used twice.
Findings check_manifests(const Config& config, const std::string& path) {
    boost::asio::io_context context;
    api::Folder folder(context, {path});
    Engine engine(config, {}, {});
    engine.apply(folder.load());
    Findings findings;
    for (const api::Problem& problem : problems_of(engine))
        (problem.warning ? findings.warnings : findings.errors).push_back(api::to_string(problem));
    return findings;
}

/// A look from where the check runs, which need not be a pod. What is found is said: it is none of the configuration.
Findings check_api_servers(const Config& config) {
    const auto access = api::access_in_cluster(config.api_servers);
    if (!access || !access->servers.empty())
        return {};
    const auto choice = look_for_api(config, access->ca_file);
    if (!choice)
        return {{choice.error()}, {}};
    for (const std::string& server : choice->servers)
        std::cerr << base::printable("API server " + server + ", from " + choice->why) << "\n";
    return {};
}

Findings check_kubeconfig(const Config& config) {
    Findings findings;
    const auto access = access_of(config);
    if (!access) {
        std::istringstream lines(access.error());
        for (std::string line; std::getline(lines, line);)
            findings.errors.push_back(line);
        return findings;
    }
    const auto check = [&](const char* name, const std::string& path) {
        if (!path.empty() && !std::ifstream(path))
            findings.errors.push_back(config.kubeconfig + ": " + name + ": " + path +
                                      " cannot be read; is the path right, and readable for this user?");
    };
    check("certificate-authority", access->ca_file);
    check("client-certificate", access->client_certificate_file);
    check("client-key", access->client_key_file);
    check("tokenFile", access->token_file);
    if (access->insecure_skip_tls_verify)
        findings.warnings.push_back(config.kubeconfig +
                                    ": insecure-skip-tls-verify: whoever answers for the API server is believed");
    return findings;
}

}  // namespace

Findings check_inputs(const Config& config, const std::string& manifests) {
    if (!manifests.empty())
        return check_manifests(config, manifests);
    return config.kubeconfig.empty() ? check_api_servers(config) : check_kubeconfig(config);
}

int check_config(const NodeOptions& options) {
    const Config config = with_host_defaults(options.config);
    Findings findings = check_host(config);
    for (std::string& problem :
         node_port_problems(config, facts_of(config, read_host_addresses().own).node_port_addresses))
        findings.warnings.push_back(std::move(problem));
    const bool has_inputs = !options.role || options.role->needs_api;
    const Findings inputs = has_inputs ? check_inputs(config, options.manifests) : Findings{};
    findings.errors.insert(findings.errors.end(), inputs.errors.begin(), inputs.errors.end());
    findings.warnings.insert(findings.warnings.end(), inputs.warnings.begin(), inputs.warnings.end());
    for (const std::string& warning : findings.warnings)
        std::cerr << "warning: " << base::printable(warning) << "\n";
    for (const std::string& error : findings.errors)
        std::cerr << "error: " << base::printable(error) << "\n";
    if (!findings.errors.empty())
        return 2;
    std::cout << base::printable_lines(to_yaml(config));
    return 0;
}

}  // namespace proxy
