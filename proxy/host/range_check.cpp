#include "proxy/host/range_check.hpp"

#include <fmt/format.h>

namespace proxy {

RangeFindings check_ranges(const Config& config, const std::vector<NodeNetwork>& networks) {
    RangeFindings findings;
    for (const base::Prefix& range : config.service_cluster_ip_range) {
        for (const NodeNetwork& network : networks) {
            if (network.prefix.length == 0 || !overlap(range, network.prefix))
                continue;
            const std::string sentence = fmt::format("service_cluster_ip_range {} overlaps {} ({})", to_string(range),
                                                     to_string(network.prefix), network.what);
            if (config.allow_range_overlap)
                findings.warnings.push_back(sentence + "; accepted by allow_range_overlap");
            else
                findings.errors.push_back(sentence +
                                          ": addresses there would no longer be reachable from this node; choose "
                                          "another range, or set allow_range_overlap: true");
        }
    }
    for (const auto& [name, ranges] : {std::pair{"service_cluster_ip_range", &config.service_cluster_ip_range},
                                       std::pair{"network_cidr", &config.network_cidr}})
        for (const base::Prefix& range : *ranges)
            if (!base::is_private(range))
                findings.warnings.push_back(fmt::format(
                    "{} {} is outside private address space (RFC 1918, 6598, 4193): hosts of the Internet with these "
                    "addresses cannot be reached from here",
                    name, to_string(range)));
    return findings;
}

}  // namespace proxy
