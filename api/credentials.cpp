#include "api/credentials.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "api/run_program.hpp"

namespace api {
namespace {

namespace asio = boost::asio;

constexpr const char* service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";
constexpr std::chrono::seconds plugin_limit{60};

/// An empty text: it was read. Blank characters at the end of a token are not part of it.
std::string read_file(const std::string& path, std::string& content) {
    std::ifstream file(path, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(file), {});
    if (!file || content.empty())
        return path + ": cannot be read, or is empty";
    return {};
}

std::string read_if_given(const std::string& path, std::string& content) {
    return path.empty() ? std::string() : read_file(path, content);
}

void trim(std::string& text) {
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
}

bool holds(const std::optional<ExecCredential>& credential) {
    return credential && (!credential->expires || std::chrono::system_clock::now() < *credential->expires);
}

}  // namespace

tl::expected<Access, std::string> access_in_cluster() {
    const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (host == nullptr || port == nullptr)
        return tl::unexpected<std::string>(
            "this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig FILE, or --manifests "
            "DIR to run without a cluster");
    Access access;
    const std::string name = host;
    access.servers = {"https://" + (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + port};
    access.ca_file = std::string(service_account) + "ca.crt";
    access.token_file = std::string(service_account) + "token";
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
    trim(identity.bearer_token);
    if (!access_.exec)
        co_return identity;
    if (!holds(from_plugin_))
        if (std::string problem = co_await ask_plugin(); !problem.empty())
            co_return tl::unexpected("credential plugin " + problem);
    identity.bearer_token = from_plugin_->token;
    identity.tls.certificate_pem = from_plugin_->client_certificate_pem;
    identity.tls.key_pem = from_plugin_->client_key_pem;
    co_return identity;
}

asio::awaitable<std::string> Credentials::ask_plugin() {
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
