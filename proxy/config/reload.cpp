#include "proxy/config/reload.hpp"

#include "proxy/config/settings.hpp"

namespace proxy {

std::vector<std::string> needs_restart(const Config& running, const Config& fresh) {
    std::vector<std::string> names;
    for (const Setting& setting : settings())
        if (setting.name != "log_level" && setting.name != "log_format" &&
            setting.print(running) != setting.print(fresh))
            names.emplace_back(setting.name);
    return names;
}

}  // namespace proxy
