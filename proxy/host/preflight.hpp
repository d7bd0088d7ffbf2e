// What is checked before anything is touched: can this machine carry us, does the configuration fit its network, is
// another podferry running.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

struct Findings {
    std::vector<std::string> errors;  ///< any of them prevents the start
    std::vector<std::string> warnings;
};

/// Holds the configuration against this host's network, and the kernel against what it needs.
Findings check_host(const Config& config);
Findings check_kernel(const Config& config);

/// Logs the findings; true when there is no error.
bool passes(const Findings& findings);

/// Held as long as the process lives; two podferries on one node would undo each other's work.
class InstanceLock {
public:
    /// The error is a sentence.
    static tl::expected<InstanceLock, std::string> acquire(const std::string& folder);
    InstanceLock(InstanceLock&& other) noexcept;
    InstanceLock& operator=(InstanceLock&&) = delete;
    ~InstanceLock();

private:
    explicit InstanceLock(int file) : file_(file) {}
    int file_;
};

}  // namespace proxy
