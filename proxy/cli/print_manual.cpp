// What the build asks for the manual pages and the completion of the very command line and settings that it compiles:
//     print-manual command|settings|bash
#include <CLI/CLI.hpp>

#include <iostream>

#include "proxy/cli/command_line.hpp"
#include "proxy/config/settings.hpp"

int main(int argc, char** argv) {
    const std::string what = argc == 2 ? argv[1] : "";
    CLI::App app{proxy::program_meaning, "podferry"};
    app.set_version_flag("--version", PODFERRY_VERSION);
    proxy::Options options;
    proxy::add_commands(app, options);
    const proxy::Config defaults;
    std::vector<proxy::SettingDescription> settings;
    for (const proxy::Setting& setting : proxy::settings())
        settings.push_back({std::string(setting.name), std::string(setting.documentation), setting.print(defaults)});
    if (what == "command")
        std::cout << proxy::command_page(proxy::describe(app), PODFERRY_VERSION);
    else if (what == "settings")
        std::cout << proxy::settings_page(settings, PODFERRY_VERSION);
    else if (what == "bash")
        std::cout << proxy::bash_completion(proxy::describe(app));
    else
        return 2;
    return std::cout.flush() ? 0 : 1;
}
