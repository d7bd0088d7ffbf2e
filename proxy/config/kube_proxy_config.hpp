// Those who come from kube-proxy bring its configuration file: it is read into podferry's settings.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

struct KubeProxyMigration {
    Config config;
    std::vector<std::string> lines;  ///< "path: honoured as ..." or "path: ignored: why", in the order of the file
};

/// Reads a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1, Kubernetes 1.37) over `base`. There is a line for
/// each field that is set; null, an empty text or list, and a duration of 0 are kube-proxy's ways to write "not set".
/// Unknown fields are lines too, since kube-proxy only warns of them; wrong types and values are mistakes, each one
/// line of the error: "FILE:LINE: path: what is wrong\n". The settings are not held against each other
/// (contradictions() in settings.hpp), for others may follow.
tl::expected<KubeProxyMigration, std::string> read_kube_proxy_config(std::string_view yaml, const std::string& file,
                                                                     Config base);

}  // namespace proxy
