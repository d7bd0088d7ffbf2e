#include "proxy/sync/cluster.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "api/cluster/server_url.hpp"
#include "base/file.hpp"
#include "proxy/log/log.hpp"
#include "proxy/log/rarely.hpp"
#include "proxy/serve/metric_labels.hpp"
#include "proxy/sync/api_lookup.hpp"

namespace proxy {
namespace {

tl::expected<api::Access, std::string> read_kubeconfig(const std::string& path) {
    const auto text = base::read_file(path);
    if (!text)
        return tl::unexpected(path + (text.error() == std::errc::file_too_large
                                          ? ": is longer than 1 MiB; is it the right file?"
                                          : ": cannot be read; is the path right, and readable for this user?"));
    return api::parse_kubeconfig(*text, path);
}

}  // namespace

tl::expected<api::Access, std::string> access_of(const Config& config) {
    if (config.kubeconfig.empty()) {
        auto access = api::access_in_cluster(config.api_servers);
        if (!access || !access->servers.empty())
            return access;
        auto choice = look_for_api(config, access->ca_file);
        if (!choice)
            return tl::unexpected(choice.error());
        log::info("API servers, as this node says them",
                  {{"servers", fmt::format("{}", fmt::join(choice->servers, " "))}, {"from", choice->why}});
        access->servers = std::move(choice->servers);
        return access;
    }
    auto access = read_kubeconfig(config.kubeconfig);
    if (access && !config.api_servers.empty())
        access->servers = config.api_servers;
    return access;
}

std::vector<ServerAddress> server_addresses(const api::Access& access) {
    std::vector<ServerAddress> addresses;
    for (const std::string& server : access.servers) {
        const auto url = api::parse_server_url(server);
        if (!url)
            continue;
        if (const auto address = base::parse_address(url->host))
            addresses.push_back({*address, url->port});
    }
    return addresses;
}

api::ApiHooks logging_hooks() {
    api::ApiHooks hooks;
    hooks.event_lost = [said = std::array<Rarely, api::event_losses.size()>()](api::EventLoss loss,
                                                                               const std::string& detail) mutable {
        if (loss == api::EventLoss::unreachable)
            return;  // the API client has told of that
        if (const auto count = said[static_cast<std::size_t>(loss)].happened(std::chrono::steady_clock::now()))
            log::warning("Events of podferry are not in the API; said ever more seldom while it goes on",
                         {{"why", std::string(word(loss))}, {"detail", detail}, {"events", std::to_string(*count)}});
    };
    hooks.away = [](const api::TroubleNews& news) {
        log::warning(news.what + (news.remedy.empty() ? "" : ": " + news.remedy) +
                         "; what is known stays in force; retrying with back-off",
                     {{"reason", news.reason}, {"attempts", std::to_string(news.attempts)}});
    };
    hooks.absent = [](const std::string& resource, const std::string& reason) {
        log::info("this API server has no " + resource +
                      " (networking.k8s.io/v1, since Kubernetes 1.33): setting service_cluster_ip_range counts alone",
                  {{"reason", reason}});
    };
    hooks.back = [](std::chrono::seconds away_for) {
        log::info("the Kubernetes API is back", {{"away_s", std::to_string(away_for.count())}});
    };
    return hooks;
}

api::ApiHooks api_hooks(Metrics& metrics) {
    api::ApiHooks hooks = logging_hooks();
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
    hooks.event_lost = [&metrics, log = std::move(hooks.event_lost)](api::EventLoss loss, const std::string& detail) {
        metrics.events_lost.Add({{"reason", std::string(word(loss))}}).Increment();
        log(loss, detail);
    };
    return hooks;
}

}  // namespace proxy
