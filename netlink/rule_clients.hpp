// Which clients count as pods in our rules: by their addresses, or by the interface that they come by. Source:
// kube-proxy's local traffic detectors (pkg/proxy/util/localdetector.go). Pure.
#pragma once

#include <string>
#include <vector>

#include "netlink/ruleset.hpp"

namespace netlink {

/// Those of the family.
std::vector<base::Prefix> of_family(const nft::IpFamily& family, const std::vector<base::Prefix>& networks);

/// Whether rules can tell pods of that family.
bool knows_pods(const nft::IpFamily& family, const RulesetParameters& parameters);

/// Matches packets of pods, in a chain of packets of that family, at any hook. knows_pods() must hold.
std::vector<nft::Statement> from_pods(const nft::IpFamily& family, const RulesetParameters& parameters);

/// Matches clients that are neither this host nor, as far as rules can tell them, pods.
std::vector<nft::Statement> from_outsiders(const nft::IpFamily& family, const RulesetParameters& parameters);

}  // namespace netlink
