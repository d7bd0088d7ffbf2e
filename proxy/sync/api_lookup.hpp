// Looks where a pod could learn the addresses of its API servers from (api_choice.hpp chooses), and remembers those
// that have worked.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/sync/api_choice.hpp"

namespace proxy {

/// Looks in this order, each only while those before it have named none: the files of setting api_server_files; the
/// proxies on this node of api_local_proxies that answer with a certificate of the cluster's authority; what worked
/// before (state_dir). A proxy that answers nothing is waited for 10 s. `ca_file`: of the service account.
tl::expected<ApiChoice, std::string> look_for_api(const Config& config, const std::string& ca_file);

/// The servers have delivered everything: the next podferry may begin with them. A failure is logged.
void remember_api(const std::string& state_dir, const std::vector<std::string>& servers);

}  // namespace proxy
