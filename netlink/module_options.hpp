// The options that modprobe would give a kernel module (modprobe.d(5), and "MODULE.OPTION=" on the kernel's command
// line).
#pragma once

#include <string>
#include <string_view>

namespace netlink {

/// The value of an option of a module in the output of `modprobe -c`, the last one that is given; empty when none is.
std::string module_option(std::string_view configuration, std::string_view module, std::string_view option);

}  // namespace netlink
