#include "proxy/cli/manual.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

namespace proxy {
namespace {

constexpr const char* about = R"(.SH DESCRIPTION
It programs IPVS, routes and nftables so that connections to Services reach pods that live; it takes kube\-proxy's place on a node.
Its objects come from the Kubernetes API, or from a folder of manifests. Ending it leaves the kernel as it is: connections go on, and
the next start adopts what is there.
)";

constexpr const char* files_and_signals = R"(.SH SIGNALS
.TP
.B SIGHUP
reads the configuration again: the log's settings hold at once, and the log names what needs a restart
.TP
.BR SIGTERM ", " SIGINT
end podferry; the kernel's tables stay
.SH FILES
.TP
.I /etc/podferry/config.yaml
the configuration of the service; see
.BR podferry\-config (5)
.TP
.I /etc/podferry/manifests
the folder of manifests of the service
.TP
.I /etc/default/podferry
where the service takes its objects from, and what removing the package does
.TP
.I /run/podferry/podferry.sock
the socket that podferry's other commands ask
.SH SEE ALSO
.BR podferry\-config (5),
.BR systemctl (1),
.BR ipvsadm (8),
.BR nft (8)
)";

std::string title(const std::string& name, int section, const std::string& version) {
    return fmt::format(".TH {} {} \"\" \"podferry {}\" \"podferry\"\n", as_roff(name), section, as_roff(version));
}

std::string value_of(const OptionDescription& option) {
    std::string text;
    switch (option.value) {
        case ValueKind::none:
            return "";
        case ValueKind::text:
            text = "\\fIVALUE\\fR";
            break;
        case ValueKind::directory:
            text = "\\fIDIR\\fR";
            break;
        case ValueKind::choice:
            text = "\\fR" + as_roff(fmt::format("{}", fmt::join(option.choices, "|"))) + "\\fR";
            break;
    }
    return option.value_may_be_absent ? " [" + text + "]" : " " + text;
}

std::string options_of(const std::vector<OptionDescription>& options) {
    std::string page;
    for (const OptionDescription& option : options) {
        std::string names;
        for (const std::string& name : option.names)
            names += (names.empty() ? "" : ", ") + ("\\fB" + as_roff(name) + "\\fR");
        page += ".TP\n" + names + value_of(option) + "\n" + as_roff(option.meaning);
        page += option.default_value.empty() ? "\n" : ".\nDefault: " + as_roff(option.default_value) + ".\n";
    }
    return page;
}

/// Writes it line by line, as it stands.
std::string unfilled(const std::string& text) {
    std::string page = ".PP\n.nf\n";
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        page += as_roff(line) + "\n";
    return page + ".fi\n";
}

/// A text in single quotes for a shell.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text)
        result += c == '\'' ? "'\\''" : std::string(1, c);
    return result + "'";
}

using Words = std::vector<std::string>;

Words words_of(const CommandDescription& command) {
    Words words;
    for (const CommandDescription& one : command.commands)
        words.push_back(one.name);
    for (const OptionDescription& option : command.options)
        words.insert(words.end(), option.names.begin(), option.names.end());
    return words;
}

/// A command of bash that offers those words.
std::string offer(const Words& words) {
    return "_podferry_offer -W " + quoted(fmt::format("{}", fmt::join(words, " ")));
}

/// What bash offers behind an option; empty behind a flag.
std::string offer_behind(const OptionDescription& option, const CommandDescription& command) {
    if (option.value == ValueKind::none)
        return "";
    if (option.value == ValueKind::text)
        return "_podferry_offer -f";
    if (option.value == ValueKind::directory)
        return "_podferry_offer -d";
    Words words = option.choices;
    if (option.value_may_be_absent)
        for (const std::string& word : words_of(command))
            words.push_back(word);
    return offer(words);
}

/// `name`: empty for the program itself.
std::string completion_rows(const CommandDescription& command, const std::string& name) {
    std::string rows;
    for (const OptionDescription& option : command.options) {
        const std::string action = offer_behind(option, command);
        Words patterns;
        for (const std::string& word : option.names)
            patterns.push_back(quoted(name + " " + word));
        if (!action.empty())
            rows += fmt::format("    {}) {} ;;\n", fmt::join(patterns, " | "), action);
    }
    return rows + fmt::format("    {}*) {} ;;\n", quoted(name + " "), offer(words_of(command)));
}

constexpr const char* completion_begin = R"(# bash completion for podferry(8), made from its command line.
_podferry_offer() {
    [ "$1" = -W ] || compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$@" -- "$word")
}

_podferry() {
    local word=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) command='' i
    # bash sees three words in --output=json.
    if [ "$word" = = ]; then word=''; elif [ "${COMP_WORDS[at]}" = = ]; then at=$((at - 1)); fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
)";

}  // namespace

std::string as_roff(const std::string& text) {
    std::string result;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\''))
            result += "\\&";
        if (c == '\\')
            result += "\\e";
        else if (c == '-')
            result += "\\-";
        else
            result += c;
        line_begins = c == '\n';
    }
    return result;
}

std::string command_page(const CommandDescription& program, const std::string& version) {
    std::string page = title("PODFERRY", 8, version);
    page += ".SH NAME\npodferry \\- a Kubernetes service proxy over Linux IPVS\n.SH SYNOPSIS\n";
    for (const CommandDescription& command : program.commands)
        page += ".B podferry " + as_roff(command.name) + "\n[\\fIOPTION\\fR]...\n.br\n";
    page += std::string(about) + ".SH OPTIONS\n" + options_of(program.options) + ".SH COMMANDS\n";
    for (const CommandDescription& command : program.commands) {
        page += ".SS podferry " + as_roff(command.name) + "\n" + as_roff(command.meaning) + "\n" +
                options_of(command.options);
        if (!command.footer.empty())
            page += unfilled(command.footer);
    }
    return page + files_and_signals;
}

std::string settings_page(const std::vector<SettingDescription>& settings, const std::string& version) {
    std::string page = title("PODFERRY-CONFIG", 5, version);
    page +=
        ".SH NAME\npodferry\\-config \\- settings of podferry\n.SH DESCRIPTION\n"
        "A file of YAML, a setting a line. What it does not set has its default. A name that is none, or a value that "
        "cannot be, is an error that names file and line;\n"
        ".B podferry node \\-\\-check\\-config \\-\\-config \\fIFILE\\fR\n"
        "checks a file and prints what is in force.\n.SH SETTINGS\n";
    for (const SettingDescription& setting : settings)
        page += ".TP\n\\fB" + as_roff(setting.name) + ":\\fR " + as_roff(setting.default_value) + "\n" +
                as_roff(setting.meaning) + "\n";
    return page + ".SH SEE ALSO\n.BR podferry (8)\n";
}

std::string bash_completion(const CommandDescription& program) {
    Words commands;
    std::string rows;
    for (const CommandDescription& command : program.commands) {
        commands.push_back(command.name);
        rows += completion_rows(command, command.name);
    }
    return completion_begin +
           fmt::format("        {}) command=${{COMP_WORDS[i]}}; break ;;\n", fmt::join(commands, " | ")) +
           "        esac\n    done\n    case \"$command ${COMP_WORDS[at]}\" in\n" + rows +
           completion_rows(program, "") + "    esac\n}\n\ncomplete -F _podferry podferry\n";
}

}  // namespace proxy
