#include "proxy/config/reload.hpp"

#include "proxy/config/settings.hpp"

namespace proxy {

Reload reload_of(const Config& running, const Config& fresh) {
    Reload reload;
    for (const Setting& setting : settings()) {
        if (setting.print(running) == setting.print(fresh))
            continue;
        if (setting.name == "log_level" || setting.name == "log_format")
            reload.log = true;
        else
            reload.needs_restart.emplace_back(setting.name);
    }
    return reload;
}

}  // namespace proxy
