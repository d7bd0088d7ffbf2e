#include "base/hash.hpp"
#include "base/numbers.hpp"
#include "netlink/ruleset.hpp"
#include "netlink/set_messages.hpp"

namespace netlink {
namespace {

std::string set_type(const Element& shape) {
    std::string text;
    for (const nft::KeyType& part : nft::key_types(shape))
        text += (text.empty() ? "" : " . ") + std::string(part.name);
    return text + (is_map(shape.set) ? " : mark" : "");
}

std::string declaration_of(const Chain& chain) {
    if (chain.type.empty())
        return chain.name;
    return chain.name + " { type " + chain.type + " hook " + chain.hook + " priority " +
           std::to_string(chain.priority) + "; policy accept; }";
}

}  // namespace

std::optional<std::string> note_of(const std::string& comment) {
    const std::string::size_type version = 8;  // its digits
    const std::string before = std::string(": ") + note_prefix;
    if (comment.size() < version || comment.compare(version, before.size(), before) != 0)
        return std::nullopt;
    return comment.substr(version + before.size());
}

std::string version_of(const Ruleset& ruleset) {
    return base::hex_digits(base::fnv1a_32(to_text(ruleset)));
}

std::string to_text(const Ruleset& ruleset) {
    const std::string table = std::string("inet ") + nft::table_name;
    std::string text = "add table " + table + "\n";
    for (const auto& [name, shape] : nft::all_sets())
        text +=
            (is_map(shape.set) ? "add map " : "add set ") + table + " " + name + " { type " + set_type(shape) + "; }\n";
    for (const Chain& chain : ruleset.chains)
        text += "add chain " + table + " " + declaration_of(chain) + "\n";
    text += "flush table " + table + "\n";
    for (const nft::Rule& rule : ruleset.rules)
        text +=
            "add rule " + table + " " + rule.chain + " " + nft::text_of(rule) + " comment \"" + rule.comment + "\"\n";
    return text;
}

}  // namespace netlink
