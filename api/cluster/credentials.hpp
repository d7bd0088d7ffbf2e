// Who we are to the API server, as of now: certificates and tokens rotate while we run.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "api/cluster/exec_credential.hpp"
#include "api/cluster/http.hpp"
#include "api/cluster/kubeconfig.hpp"

namespace api {

struct Identity {
    TlsMaterial tls;
    std::string bearer_token;
};

/// The access that a pod has: the service account's token and CA. The servers are `servers`; the address in the
/// environment (KUBERNETES_SERVICE_HOST) is a ClusterIP, which says only that this is a pod. The error says what is
/// missing.
tl::expected<Access, std::string> access_in_cluster(std::vector<std::string> servers);

class Credentials {
public:
    Credentials(boost::asio::io_context& context, Access access) : context_(context), access_(std::move(access)) {}

    /// Reads the files anew, for kubelet and cert-manager replace them; asks the credential plugin when what it said
    /// has expired. The error names the file or the plugin.
    boost::asio::awaitable<tl::expected<Identity, std::string>> current();

    /// The server has refused them (401): a plugin is asked again, unless it has said something else meanwhile.
    void refused(const std::string& bearer_token);

private:
    boost::asio::awaitable<std::string> ask_plugin();

    boost::asio::io_context& context_;
    Access access_;
    std::optional<ExecCredential> from_plugin_;
    std::shared_ptr<bool> asking_ = std::make_shared<bool>(false);  // shared with whoever asks, who may outlive us
};

}  // namespace api
