#include "api/folder/path_links.hpp"

#include <deque>
#include <filesystem>
#include <system_error>

namespace api {

namespace fs = std::filesystem;

std::vector<PathLink> links_of(const std::string& path) {
    static constexpr std::size_t most = 40;
    std::vector<PathLink> links;
    const fs::path whole(path);
    fs::path at = whole.is_absolute() ? fs::path("/") : fs::path(".");
    std::deque<fs::path> rest;
    for (const fs::path& step : whole.relative_path())
        rest.push_back(step);
    while (!rest.empty()) {
        const fs::path step = rest.front();
        rest.pop_front();
        if (step.empty() || step == ".")
            continue;
        std::error_code error;
        const fs::path next = at / step;
        if (!fs::is_symlink(next, error)) {
            at = next;
            continue;
        }
        if (links.size() == most)
            break;
        links.push_back({at.string(), step.string()});
        const fs::path target = fs::read_symlink(next, error);
        if (error)
            break;
        if (target.is_absolute())
            at = "/";
        const fs::path relative = target.relative_path();
        rest.insert(rest.begin(), relative.begin(), relative.end());
    }
    return links;
}

}  // namespace api
