// What podferry needs of the machine, checked at the start.
#pragma once

#include <string>
#include <vector>

namespace netlink {

/// One sentence for each thing that is missing: what, and how to get it. Loads the module ip_vs where it can: with a
/// connection table of 2^conn_tab_bits lists (8..20), unless modprobe's configuration says another size.
std::vector<std::string> missing_capabilities(int conn_tab_bits);

/// A loadable module is loaded; false for what is built in, too.
bool module_is_loaded(const std::string& name);

}  // namespace netlink
