#include "proxy/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>

namespace proxy {
namespace {

const OptionDescription* find(const CommandDescription& command, const std::string& name) {
    for (const OptionDescription& option : command.options)
        for (const std::string& one : option.names)
            if (one == name)
                return &option;
    return nullptr;
}

TEST_CASE("a new option is in the description, whatever its kind") {
    CLI::App program{"flies", "icarus"};
    std::string text = "wax";
    bool flag = false;
    CLI::App& fly = *program.add_subcommand("fly", "goes up");
    fly.footer("the end");
    fly.add_option("-w,--wings", text, "of what")->check(CLI::IsMember({"wax", "tin"}))->capture_default_str();
    fly.add_option("--sun", text, "how near")
        ->expected(0, 1)
        ->default_str("far")
        ->check(CLI::IsMember({"far", "near"}));
    fly.add_option("--home", text, "where")->check(CLI::ExistingDirectory);
    fly.add_option("--plan", text, "a file");
    fly.add_flag("--high", flag, "high up");
    const CommandDescription description = describe(program);
    REQUIRE(description.commands.size() == 1);
    const CommandDescription& command = description.commands.front();
    CHECK(command.name == "fly");
    CHECK(command.meaning == "goes up");
    CHECK(command.footer == "the end");
    CHECK(find(command, "--help")->value == ValueKind::none);
    const OptionDescription& wings = *find(command, "--wings");
    CHECK(wings.names == std::vector<std::string>{"-w", "--wings"});
    CHECK(wings.value == ValueKind::choice);
    CHECK(wings.choices == std::vector<std::string>{"wax", "tin"});
    CHECK(wings.default_value == "wax");
    CHECK_FALSE(wings.value_may_be_absent);
    CHECK(find(command, "--sun")->value_may_be_absent);
    CHECK(find(command, "--sun")->default_value == "far");
    CHECK(find(command, "--home")->value == ValueKind::directory);
    CHECK(find(command, "--plan")->value == ValueKind::text);
    CHECK(find(command, "--high")->value == ValueKind::none);
    CHECK(find(command, "--high")->meaning == "high up");
}

TEST_CASE("podferry's own commands are described") {
    CLI::App program{program_meaning, "podferry"};
    Options options;
    add_commands(program, options);
    const CommandDescription description = describe(program);
    std::vector<std::string> names;
    for (const CommandDescription& command : description.commands)
        names.push_back(command.name);
    CHECK(names == std::vector<std::string>{"node", "edge", "controller", "status", "services", "backends", "cleanup",
                                            "migrate"});
    CHECK(find(description.commands[0], "--init-only")->choices ==
          std::vector<std::string>{"all", "modules", "sysctls"});
}

}  // namespace
}  // namespace proxy
