#include "netlink/module_options.hpp"

#include <sstream>

namespace netlink {

std::string module_option(std::string_view configuration, std::string_view module, std::string_view option) {
    std::istringstream lines{std::string(configuration)};
    std::string value;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string keyword;
        std::string name;
        if (!(words >> keyword >> name) || keyword != "options" || name != module)
            continue;
        const std::string start = std::string(option) + "=";
        for (std::string word; words >> word;)
            if (word.starts_with(start))
                value = word.substr(start.size());
    }
    return value;
}

}  // namespace netlink
