// What podferry needs of the machine, checked at the start.
#pragma once

#include <string>
#include <vector>

namespace netlink {

/// One sentence for each thing that is missing: what, and how to get it. Loads the module ip_vs where it can.
std::vector<std::string> missing_capabilities();

}  // namespace netlink
