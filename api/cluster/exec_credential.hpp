// What podferry and a credential plugin say to each other (KEP-541, client.authentication.k8s.io): the text that goes
// into the plugin's environment, and the one that it prints. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "api/cluster/kubeconfig.hpp"

namespace api {

/// A token, a certificate with its key, or both.
struct ExecCredential {
    std::string token;
    std::string client_certificate_pem;
    std::string client_key_pem;
    std::optional<std::chrono::system_clock::time_point> expires;  ///< nothing: until the server answers 401
    bool operator==(const ExecCredential&) const = default;
};

/// Reads what a plugin printed. `api_version` is the one that the kubeconfig asks for. The error is one line that
/// holds none of the credentials; mistakes are separated by "; ".
tl::expected<ExecCredential, std::string> parse_exec_credential(std::string_view json, const std::string& api_version);

/// The value of KUBERNETES_EXEC_INFO, which every plugin gets. It describes the cluster when the plugin wants that:
/// `access.ca_pem` must then hold what is in `access.ca_file`, for plugins are given the text.
std::string exec_info(const ExecPlugin& plugin, const Access& access);

}  // namespace api
