#include "netlink/schedulers.hpp"

#include <algorithm>
#include <array>

namespace netlink {
namespace {

constexpr auto all_schedulers = std::to_array<std::string_view>(
    {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"});

constexpr auto sharing = std::to_array<std::string_view>({"wrr", "wlc", "sed", "nq", "twos"});

}  // namespace

std::span<const std::string_view> schedulers() {
    return all_schedulers;
}

bool is_scheduler(std::string_view name) {
    return std::find(all_schedulers.begin(), all_schedulers.end(), name) != all_schedulers.end();
}

bool passes_over_weight_0(std::string_view scheduler) {
    return scheduler != "dh";
}

bool has_flags(std::string_view scheduler) {
    return scheduler == "mh" || scheduler == "sh";
}

bool shares_by_weight(std::string_view scheduler) {
    return std::find(sharing.begin(), sharing.end(), scheduler) != sharing.end();
}

std::span<const std::string_view> sharing_schedulers() {
    return sharing;
}

}  // namespace netlink
