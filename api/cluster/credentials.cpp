#include "api/cluster/credentials.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <memory>

#include "api/cluster/run_program.hpp"
#include "base/file.hpp"

namespace api {
namespace {

namespace asio = boost::asio;

constexpr const char* service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";
constexpr std::chrono::seconds plugin_limit{60};

/// An empty text: it was read. Blank characters at the end of a token are not part of it.
std::string read_file(const std::string& path, std::string& content) {
    auto read = base::read_file(path);
    if (!read && read.error() == std::errc::file_too_large)
        return path + ": is longer than 1 MiB; is it the right file?";
    content = read ? std::move(*read) : std::string();
    return content.empty() ? path + ": cannot be read, or is empty" : "";
}

std::string read_if_given(const std::string& path, std::string& content) {
    return path.empty() ? std::string() : read_file(path, content);
}

/// What stands in a token file, without the blanks around it; empty when it cannot stand in an HTTP header.
std::string token_in(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    const auto last = text.find_last_not_of(" \t\r\n");
    const std::string token = first == std::string::npos ? "" : text.substr(first, last - first + 1);
    const bool printable = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 127; });
    return printable ? token : "";
}

asio::awaitable<void> pause(asio::io_context& context) {
    asio::steady_timer timer(context, std::chrono::milliseconds(50));
    co_await timer.async_wait(asio::use_awaitable);
}

bool holds(const std::optional<ExecCredential>& credential) {
    return credential && (!credential->expires || std::chrono::system_clock::now() < *credential->expires);
}

}  // namespace

tl::expected<Access, std::string> access_in_cluster(std::vector<std::string> servers) {
    Access access;
    access.ca_file = std::string(service_account) + "ca.crt";
    access.token_file = std::string(service_account) + "token";
    access.servers = std::move(servers);
    if (access.servers.empty() && std::getenv("KUBERNETES_SERVICE_HOST") == nullptr)
        return tl::unexpected<std::string>(
            "this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig FILE, or --manifests "
            "DIR to run without a cluster");
    return access;
}

asio::awaitable<tl::expected<Identity, std::string>> Credentials::current() {
    Identity identity;
    identity.tls = {!access_.insecure_skip_tls_verify, access_.ca_pem, access_.tls_server_name,
                    access_.client_certificate_pem, access_.client_key_pem};
    identity.bearer_token = access_.token;
    const std::pair<const std::string&, std::string&> files[] = {
        {access_.ca_file, identity.tls.ca_pem},
        {access_.client_certificate_file, identity.tls.certificate_pem},
        {access_.client_key_file, identity.tls.key_pem},
        {access_.token_file, identity.bearer_token}};
    for (const auto& [path, content] : files)
        if (std::string problem = read_if_given(path, content); !problem.empty())
            co_return tl::unexpected(problem);
    if (!access_.token_file.empty()) {
        identity.bearer_token = token_in(identity.bearer_token);
        if (identity.bearer_token.empty())
            co_return tl::unexpected(access_.token_file + ": holds no token (one word of printable characters)");
    }
    if (!access_.exec)
        co_return identity;
    while (*asking_)  // for another watch: its answer will do
        co_await pause(context_);
    if (!holds(from_plugin_))
        if (std::string problem = co_await ask_plugin(); !problem.empty())
            co_return tl::unexpected("credential plugin " + problem);
    identity.bearer_token = from_plugin_->token;
    identity.tls.certificate_pem = from_plugin_->client_certificate_pem;
    identity.tls.key_pem = from_plugin_->client_key_pem;
    co_return identity;
}

void Credentials::refused(const std::string& bearer_token) {
    if (from_plugin_ && from_plugin_->token == bearer_token)
        from_plugin_.reset();
}

asio::awaitable<std::string> Credentials::ask_plugin() {
    // Whoever waits here is let go when the event loop ends, which may be after us.
    *asking_ = true;
    const std::shared_ptr<void> done(nullptr, [asking = asking_](void*) { *asking = false; });
    Access described = access_;
    if (std::string problem = read_if_given(access_.ca_file, described.ca_pem); !problem.empty())
        co_return problem;
    Program program{access_.exec->command, access_.exec->args, access_.exec->env};
    program.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(*access_.exec, described));
    const auto output = co_await run_program(context_, program, plugin_limit);
    if (!output) {
        const std::string& hint = access_.exec->install_hint;
        co_return output.error() + (hint.empty() ? "" : "; " + hint);
    }
    auto credential = parse_exec_credential(*output, access_.exec->api_version);
    if (!credential)
        co_return access_.exec->command + ": " + credential.error();
    from_plugin_ = std::move(*credential);
    co_return std::string();
}

}  // namespace api
