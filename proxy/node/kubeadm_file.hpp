// Ranges of kubeadm's ClusterConfiguration for who starts podferry.
#pragma once

#include <string>

#include "proxy/node/node.hpp"

namespace proxy {

/// Takes the ranges that `node.config` lacks from the file. It may come and go with kubeadm, and nobody has asked for
/// it by name: whatever it lacks, and a range with which podferry would not start on this host, is a sentence of
/// `node.first_warnings`, and costs nothing else.
void take_kubeadm_ranges(const std::string& path, NodeOptions& node);

}  // namespace proxy
