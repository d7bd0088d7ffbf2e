// Table `inet podferry`, for whoever wants to hold it against what nft(8) makes of its text.
//     lab-table text|install|check|remove [--masquerade-all] [--services NETWORK]... [--interface NAME] [--note
//     TEXT]... [NETWORK...]
// `text` prints it as nft reads it; `install` makes it in this network namespace, by the program's own transaction;
// `check` prints whether it is in place; NETWORKs are those of pods.
#include <cstdio>
#include <exception>
#include <string>

#include "netlink/nft_table.hpp"

int main(int count, char** words) try {
    const std::string task = count > 1 ? words[1] : "";
    netlink::RulesetParameters parameters;
    for (int i = 2; i < count; ++i)
        if (const std::string word = words[i]; word == "--masquerade-all")
            parameters.masquerade_all = true;
        else if (word == "--services" && i + 1 < count)
            parameters.service_networks.push_back(base::parse_prefix(words[++i]).value());
        else if (word == "--interface" && i + 1 < count)
            parameters.pod_interface = words[++i];
        else if (word == "--note" && i + 1 < count)
            parameters.notes.emplace_back(words[++i]);
        else
            parameters.pod_networks.push_back(base::parse_prefix(word).value());
    const netlink::Ruleset ruleset = make_ruleset(parameters);
    if (task == "text") {
        std::fputs(to_text(ruleset).c_str(), stdout);
        return 0;
    }
    netlink::Socket socket(NETLINK_NETFILTER);
    if (task == "install")
        netlink::nft::install(socket, ruleset);
    else if (task == "check")
        std::puts(netlink::nft::is_in_place(socket, ruleset) ? "in place" : "not in place");
    else if (task == "remove")
        netlink::nft::remove(socket);
    else
        return 2;
    return 0;
} catch (const std::exception& problem) {
    std::fprintf(stderr, "lab-table: %s\n", problem.what());
    return 1;
}
