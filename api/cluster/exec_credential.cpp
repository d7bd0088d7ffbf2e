#include "api/cluster/exec_credential.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/cluster/secrets.hpp"
#include "base/rfc3339.hpp"

namespace api {
namespace {

namespace json = boost::json;

void check_kind(const Field& root, const std::string& api_version) {
    const Field kind = root["kind"];
    if (const std::string text = kind.text(); text != "ExecCredential")
        kind.wrong((text.empty() ? "missing" : "'" + text + "'") + "; the plugin must print an ExecCredential");
    const Field version = root["apiVersion"];
    if (const std::string text = version.text(); text != api_version)
        version.wrong((text.empty() ? "missing" : "'" + text + "'") + "; the kubeconfig's exec.apiVersion is " +
                      api_version + ", make the two the same");
}

ExecCredential read_status(const Field& status) {
    ExecCredential credential;
    const Field token = status["token"];
    const Field certificate = status["clientCertificateData"];
    const Field key = status["clientKeyData"];
    const Field expires = status["expirationTimestamp"];
    credential.token = bearer_token(token);
    credential.client_certificate_pem = pem(certificate);
    credential.client_key_pem = pem(key);
    if (const std::string text = expires.text(); !text.empty()) {
        credential.expires = base::parse_rfc3339(text);
        if (!credential.expires)
            expires.wrong("'" + text.substr(0, 40) + "' is not a time such as 2026-01-31T12:00:00Z");
    }
    return credential;
}

void check_complete(const Field& status, const ExecCredential& credential) {
    if (!status.given())
        status.wrong("missing; the plugin printed no credentials");
    else if (credential.client_certificate_pem.empty() != credential.client_key_pem.empty())
        status.wrong("has a certificate without its key, or a key without its certificate");
    else if (credential.token.empty() && credential.client_key_pem.empty())
        status.wrong("has neither a token nor a certificate");
}

std::string one_line(const std::vector<Mistake>& mistakes) {
    std::string text;
    for (const Mistake& mistake : mistakes)
        text += (text.empty() ? "" : "; ") + to_string(mistake);
    return text;
}

json::object cluster_of(const Access& access) {
    json::object cluster;
    cluster["server"] = access.servers.empty() ? "" : access.servers.front();
    if (!access.tls_server_name.empty())
        cluster["tls-server-name"] = access.tls_server_name;
    if (access.insecure_skip_tls_verify)
        cluster["insecure-skip-tls-verify"] = true;
    if (!access.ca_pem.empty())
        cluster["certificate-authority-data"] = base64(access.ca_pem);
    if (!access.exec_config.empty())
        cluster["config"] = json::parse(access.exec_config);
    return cluster;
}

}  // namespace

tl::expected<ExecCredential, std::string> parse_exec_credential(std::string_view text, const std::string& api_version) {
    boost::system::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !value.is_object())
        return tl::unexpected("the plugin printed " + (error ? "no JSON (" + error.message() + ")" : "no JSON object") +
                              "; run it by hand to see what it prints");
    std::vector<Mistake> mistakes;
    const Field root(&value, mistakes);
    check_kind(root, api_version);
    const Field status = root["status"];
    ExecCredential credential = read_status(status);
    if (mistakes.empty())
        check_complete(status, credential);
    if (!mistakes.empty())
        return tl::unexpected(one_line(mistakes));
    return credential;
}

std::string exec_info(const ExecPlugin& plugin, const Access& access) {
    json::object spec;
    if (plugin.provide_cluster_info)
        spec["cluster"] = cluster_of(access);
    spec["interactive"] = false;
    return json::serialize(
        json::object{{"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}});
}

}  // namespace api
