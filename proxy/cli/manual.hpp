// What the command line says of itself, as a manual page and as completion for a shell: pure functions of a
// description.
#pragma once

#include <string>
#include <vector>

namespace proxy {

/// What may stand behind an option.
enum class ValueKind {
    none,       ///< a flag
    text,       ///< anything; a shell offers files
    directory,  ///< a folder that exists
    choice,     ///< one of `choices`
};

struct OptionDescription {
    std::vector<std::string> names;  ///< with their dashes, short ones first
    std::string meaning;
    ValueKind value = ValueKind::none;
    bool value_may_be_absent = false;
    std::vector<std::string> choices;
    std::string default_value;  ///< empty: none that is worth telling
};

struct CommandDescription {
    std::string name;
    std::string meaning;
    std::string footer;  ///< lines that stand as they are
    std::vector<OptionDescription> options;
    std::vector<CommandDescription> commands;
};

/// A setting, as the table of settings has it.
struct SettingDescription {
    std::string name;
    std::string meaning;
    std::string default_value;  ///< as YAML
};

/// A text as roff: nothing in it is a request or an escape.
std::string as_roff(const std::string& text);

/// podferry(8), in man(7)'s macros. `version` stands at the page's foot.
std::string command_page(const CommandDescription& program, const std::string& version);

/// podferry-config(5): every setting.
std::string settings_page(const std::vector<SettingDescription>& settings, const std::string& version);

/// Completion for bash 4 and later, which needs no other file.
std::string bash_completion(const CommandDescription& program);

}  // namespace proxy
