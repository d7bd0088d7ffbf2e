// The symbolic links on the way of a path.
#pragma once

#include <string>
#include <vector>

namespace api {

struct PathLink {
    std::string folder;  ///< in which it is, as it is reached
    std::string name;
    bool operator==(const PathLink&) const = default;
};

/// Those that are passed on the way to what the path names, at most 40 (the kernel's own bound); what is not there ends
/// the way.
std::vector<PathLink> links_of(const std::string& path);

}  // namespace api
