// What about the host keeps Services from working although everything of ours is in the kernel.
#pragma once

#include <string>
#include <vector>

#include "proxy/config.hpp"

namespace proxy {

class HostWatch {
public:
    explicit HostWatch(const Config& config) : config_(config) {}

    /// Node ports are served on these addresses from now on.
    void note_node_port_addresses(const std::vector<Address>& addresses);

    const std::vector<std::string>& problems() const { return address_problems_; }

private:
    const Config& config_;
    std::vector<std::string> address_problems_;
};

}  // namespace proxy
