// Ranges that nobody has given, of kubeadm's ClusterConfiguration: what ConfigMap kube-system/kubeadm-config holds,
// which the kubelet can bring as a file. Pure.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/prefix.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

struct KubeadmRanges {
    std::vector<base::Prefix> services;  ///< networking.serviceSubnet; at most one of each family
    std::vector<base::Prefix> pods;      ///< networking.podSubnet; the same
    bool operator==(const KubeadmRanges&) const = default;
};

/// Reads a ClusterConfiguration (kubeadm.k8s.io, any version: the two fields are the same in all). The error has a line
/// for each mistake: "FILE:LINE: path: what is wrong\n".
tl::expected<KubeadmRanges, std::string> read_kubeadm_ranges(std::string_view yaml, const std::string& file);

struct RangeChoice {
    Config config;
    std::vector<std::string> lines;     ///< what was taken, for the log
    std::vector<std::string> warnings;  ///< what was given, and differs
};

/// service_cluster_ip_range and network_cidr where they are given, else kubeadm's. `file`: for the sentences.
RangeChoice choose_ranges(Config given, const KubeadmRanges& kubeadm, const std::string& file);

}  // namespace proxy
