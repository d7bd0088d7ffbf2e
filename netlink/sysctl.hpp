// Kernel settings by name: reading, comparing, writing.
#pragma once

#include <string>
#include <string_view>

namespace netlink {

/// The folder that shows the settings; a container may see the host's elsewhere.
inline constexpr const char* proc_sys = "/proc/sys";

struct Sysctl {
    enum class Fit { exactly, at_least };

    std::string name;   ///< "net.ipv4.vs.conntrack"
    std::string value;  ///< a whole number when Fit is at_least
    std::string why;    ///< as the end of a sentence: "or connections break"
    Fit fit = Fit::exactly;
};

/// Whether `present`, as the kernel shows it, is what is wanted.
bool is_met(const Sysctl& wanted, std::string_view present);

/// What came of setting one.
struct SysctlResult {
    enum class Outcome {
        met,        ///< it was as wanted
        written,    ///< it was not, and is now
        read_only,  ///< the file system that shows it is mounted read-only
        refused,    ///< for any other reason
    };
    Outcome outcome = Outcome::met;
    std::string problem;  ///< of the last two: a sentence that names the setting, its value, the reason and the remedy
};

SysctlResult set_sysctl(const Sysctl& wanted, const std::string& folder = proc_sys);

/// Reads it without the final newline; empty when there is no such setting, or it is empty.
std::string read_sysctl(const std::string& name, const std::string& folder = proc_sys);

}  // namespace netlink
