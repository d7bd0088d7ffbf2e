#include "proxy/sync/api_lookup.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <sstream>
#include <utility>

#include "api/cluster/http.hpp"
#include "api/cluster/kubeconfig.hpp"
#include "base/file.hpp"
#include "proxy/log/log.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;

constexpr std::size_t longest_memory = 64 * 1024;

std::string memory_of(const std::string& state_dir) {
    return state_dir + "/api_servers";
}

ApiCandidate look_into(const std::string& kubeconfig) {
    ApiCandidate found{kubeconfig, {}, ""};
    const auto text = base::read_file(kubeconfig);
    if (!text) {
        found.problem = text.error() == std::errc::no_such_file_or_directory ? "is not there" : text.error().message();
        return found;
    }
    auto access = api::parse_kubeconfig(*text, kubeconfig);
    if (access)
        found.servers = std::move(access->servers);
    else
        found.problem = access.error().substr(0, access.error().find('\n'));
    return found;
}

/// Connects; whoever answers without a certificate of the authority for that name is none.
ApiCandidate knock_at(const std::string& server, const std::string& ca_pem) {
    ApiCandidate found{server, {}, ""};
    const auto url = api::parse_server_url(server);
    if (!url || ca_pem.empty()) {
        found.problem = url ? "the service account's ca.crt cannot be read" : url.error();
        return found;
    }
    asio::io_context context;
    api::HttpConnection connection(context.get_executor(), *url, {true, ca_pem, "", "", ""});
    asio::co_spawn(context, connection.connect(), [&](const std::exception_ptr& failure, const std::string& problem) {
        found.problem = failure ? "cannot be connected to" : problem;
        if (!failure && problem.empty())
            found.servers = {server};
    });
    context.run();  // the connection has its own limits
    return found;
}

ApiCandidate recall(const std::string& state_dir) {
    ApiCandidate found{memory_of(state_dir) + " (those that worked before)", {}, "is not there"};
    const auto text = base::read_file(memory_of(state_dir), longest_memory);
    std::istringstream lines(text ? *text : std::string());
    for (std::string line; std::getline(lines, line);)
        if (const auto url = api::parse_server_url(line))
            found.servers.push_back(line);
    return found;
}

std::string from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

tl::expected<ApiChoice, std::string> look_for_api(const Config& config, const std::string& ca_file) {
    std::vector<std::function<ApiCandidate()>> looks;
    for (const std::string& path : config.api_server_files)
        looks.emplace_back([&path] { return look_into(path); });
    const std::string ca_pem = base::read_file(ca_file).value_or("");
    for (const std::string& server : config.api_local_proxies)
        looks.emplace_back([&server, &ca_pem] { return knock_at(server, ca_pem); });
    looks.emplace_back([&config] { return recall(config.state_dir); });
    const VirtualAddresses never{from_environment("KUBERNETES_SERVICE_HOST"), config.service_cluster_ip_range};
    std::vector<ApiCandidate> candidates;
    for (const auto& look : looks) {
        candidates.push_back(look());
        if (auto choice = choose_api(candidates, never))
            return choice;
    }
    return choose_api(candidates, never);
}

void remember_api(const std::string& state_dir, const std::vector<std::string>& servers) {
    std::string text;
    for (const std::string& server : servers)
        text += server + "\n";
    if (base::read_file(memory_of(state_dir), longest_memory).value_or("") == text)
        return;
    if (const std::string problem = base::write_atomically(memory_of(state_dir), text); !problem.empty())
        log::warning("the API servers cannot be remembered for the next start",
                     {{"file", memory_of(state_dir)}, {"reason", problem}});
    // The next one reads it as root, before it becomes another user, and may have no right to pass over permissions.
    std::error_code ignored;
    std::filesystem::permissions(memory_of(state_dir), std::filesystem::perms::group_read,
                                 std::filesystem::perm_options::add, ignored);
}

}  // namespace proxy
