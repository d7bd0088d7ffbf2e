// A kubeconfig: how to reach an API server, and as whom. The rules are those of client-go's clientcmd; what podferry
// cannot do is refused by name rather than left out. Pure: no file is read but the text that is given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace api {

/// A program that prints credentials (KEP-541); see exec_credential.hpp.
struct ExecPlugin {
    std::string command;  ///< a path, or a name to look for in PATH
    std::vector<std::string> args;
    std::vector<std::pair<std::string, std::string>> env;  ///< beside the environment of podferry
    std::string api_version;                               ///< client.authentication.k8s.io/v1 or /v1beta1
    bool provide_cluster_info = false;
    std::string install_hint;  ///< for people, when the program is missing
    bool operator==(const ExecPlugin&) const = default;
};

/// Each pair of PEM and file has at most one that is given. No token, certificate or plugin at all: anonymous.
struct Access {
    std::vector<std::string> servers;  ///< as parse_server_url() reads them, the port always written
    std::string ca_pem;
    std::string ca_file;
    bool insecure_skip_tls_verify = false;
    std::string tls_server_name;  ///< empty: the host of the server
    std::string client_certificate_pem;
    std::string client_certificate_file;
    std::string client_key_pem;
    std::string client_key_file;
    std::string token;
    std::string token_file;          ///< to be read again when it changes
    std::optional<ExecPlugin> exec;  ///< only without a token and a certificate: client-go does not run it beside them
    std::string exec_config;         ///< JSON: the cluster's extension for plugins; empty: none
    bool operator==(const Access&) const = default;
};

/// The cluster and the user of `context`, or of the file's current-context when it is empty. Relative paths are read
/// from the folder of `file`. The error is one line for each mistake: "FILE:LINE: path: what is wrong\n"; it never
/// holds any of a secret. Other contexts, clusters and users are not looked into; unknown fields are ignored.
tl::expected<Access, std::string> parse_kubeconfig(std::string_view yaml, const std::string& file,
                                                   const std::string& context = "");

}  // namespace api
