#include "proxy/cluster.hpp"

#include <fstream>
#include <iterator>

#include "proxy/log.hpp"
#include "proxy/metric_labels.hpp"

namespace proxy {
namespace {

tl::expected<api::Access, std::string> read_kubeconfig(const std::string& path) {
    std::ifstream file(path);
    if (!file)
        return tl::unexpected(path + ": cannot be read; is the path right, and readable for this user?");
    return api::parse_kubeconfig(std::string(std::istreambuf_iterator<char>(file), {}), path);
}

}  // namespace

tl::expected<api::Access, std::string> access_of(const Config& config) {
    if (config.kubeconfig.empty())
        return api::access_in_cluster(config.api_servers);
    auto access = read_kubeconfig(config.kubeconfig);
    if (access && !config.api_servers.empty())
        access->servers = config.api_servers;
    return access;
}

api::ApiHooks api_hooks(Metrics& metrics) {
    api::ApiHooks hooks;
    hooks.request = [&metrics](const std::string& verb, const std::string& code) {
        metrics.api_requests.Add({{"verb", verb}, {"code", code_label(code)}}).Increment();
    };
    hooks.watch_restarted = [&metrics](const std::string& resource, const std::string& reason) {
        metrics.api_watch_restarts.Add({{"resource", resource}, {"reason", restart_label(reason)}}).Increment();
    };
    hooks.relisted = [&metrics](const std::string& resource) {
        metrics.api_relists.Add({{"resource", resource}}).Increment();
    };
    hooks.decode_error = [&metrics](const std::string& resource) {
        metrics.api_decode_errors.Add({{"resource", resource}}).Increment();
    };
    hooks.away = [](const std::string& reason) {
        log::warning("the Kubernetes API cannot be reached; what is known stays in force, and is tried again",
                     {{"reason", reason}});
    };
    hooks.back = [](std::chrono::seconds away_for) {
        log::info("the Kubernetes API is back", {{"away_s", std::to_string(away_for.count())}});
    };
    return hooks;
}

}  // namespace proxy
