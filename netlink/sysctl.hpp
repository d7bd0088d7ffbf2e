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

/// True when the value had to be written, false when it was there. Throws std::runtime_error with a sentence that names
/// the setting, its value, the reason and the remedy.
bool set_sysctl(const Sysctl& wanted, const std::string& folder = proc_sys);

/// Without the final newline; empty when there is no such setting, or it is empty.
std::string read_sysctl(const std::string& name, const std::string& folder = proc_sys);

}  // namespace netlink
