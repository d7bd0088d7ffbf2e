// What IPVS's schedulers are and do.
#pragma once

#include <span>
#include <string_view>

namespace netlink {

/// Every scheduler of the kernel (net/netfilter/ipvs/Kconfig).
std::span<const std::string_view> schedulers();
bool is_scheduler(std::string_view name);

/// False for dh, which refuses connections that hash to a real server of weight 0, and has no flag against it
/// (ip_vs_dh_schedule): such a real server must go at once.
bool passes_over_weight_0(std::string_view scheduler);

/// Whether a scheduler has flags: mh and sh.
bool has_flags(std::string_view scheduler);

/// True for those that give a real server connections in proportion to its weight: wrr, wlc, sed, twos, and nq, under
/// which one without connections gets one whatever its weight. rr and lc only ask whether it is 0; fo gives everything
/// to the largest; ovf, lblc and lblcr read it as a number of connections; mh and sh spread hashes by it, so that each
/// change of a weight sends clients to other real servers; dh does not look at it.
bool shares_by_weight(std::string_view scheduler);
/// All for which it is true.
std::span<const std::string_view> sharing_schedulers();

}  // namespace netlink
