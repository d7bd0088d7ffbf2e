// Which API servers a pod without a setting asks: the first place that names some. Never KUBERNETES_SERVICE_HOST: that
// is the ClusterIP of Service kubernetes, which podferry itself has yet to program. Pure.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/prefix.hpp"

namespace proxy {

/// A place that could name API servers, after a look at it.
struct ApiCandidate {
    std::string place;                 ///< "/etc/kubernetes/kubelet.conf"
    std::vector<std::string> servers;  ///< URLs; none: `problem` says why
    std::string problem;
};

struct ApiChoice {
    std::vector<std::string> servers;
    std::string why;  ///< for the log: the place, and those before it with what they lacked
};

/// What no API server may be.
struct VirtualAddresses {
    std::string kubernetes;            ///< KUBERNETES_SERVICE_HOST; may be empty
    std::vector<base::Prefix> ranges;  ///< of ClusterIPs, as far as they are known
};

/// The first candidate with a server that is not virtual. The error says what each of them lacked, and what to do.
tl::expected<ApiChoice, std::string> choose_api(const std::vector<ApiCandidate>& candidates,
                                                const VirtualAddresses& never);

}  // namespace proxy
