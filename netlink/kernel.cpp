#include "netlink/kernel.hpp"

namespace netlink {

std::vector<Part> all_parts() {
    std::vector<Part> parts = {{Part::Kind::routes}};
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Set::mark); ++i) {
        const auto set = static_cast<Set>(i);
        parts.push_back({Part::Kind::elements, set, false});
        if (has_address(set))
            parts.push_back({Part::Kind::elements, set, true});
    }
    parts.push_back({Part::Kind::virtual_servers});
    return parts;
}

KernelState Kernel::read() {
    KernelState state;
    for (const Part& part : all_parts())
        read_part(part, state);
    return state;
}

}  // namespace netlink
