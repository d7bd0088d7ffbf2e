#include "netlink/nft_table.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <cerrno>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "netlink/nft_expressions.hpp"
#include "netlink/set_messages.hpp"

namespace netlink::nft {
namespace {

constexpr std::size_t most_entries = 500;  // of an anonymous set in a message: an attribute has at most 64 KiB
constexpr std::size_t entry_bytes = 128;

Message new_table() {
    Message message = table_message(NFT_MSG_NEWTABLE, NLM_F_CREATE);
    put_text(message, NFTA_TABLE_NAME, table_name);
    return message;
}

std::uint32_t type_number(const std::vector<KeyType>& types) {
    std::uint32_t number = 0;
    for (const KeyType& type : types)
        number = number << 6 | type.number;
    return number;
}

std::uint32_t key_size(const std::vector<KeyType>& types) {
    std::uint32_t size = 0;
    for (const KeyType& type : types)
        size += types.size() == 1 ? type.size : (type.size + 3) / 4 * 4;
    return size;
}

/// The kernel wants a number of each set that a transaction makes, for the rules that come with it.
Message new_set(const std::string& name, const Element& shape, std::uint32_t number) {
    const std::vector<KeyType> types = key_types(shape);
    Message message = table_message(NFT_MSG_NEWSET, NLM_F_CREATE);
    put_text(message, NFTA_SET_TABLE, table_name);
    put_text(message, NFTA_SET_NAME, name);
    put_number(message, NFTA_SET_FLAGS, is_map(shape.set) ? NFT_SET_MAP : 0);
    put_number(message, NFTA_SET_KEY_TYPE, type_number(types));
    put_number(message, NFTA_SET_KEY_LEN, key_size(types));
    if (is_map(shape.set)) {
        put_number(message, NFTA_SET_DATA_TYPE, type::mark);
        put_number(message, NFTA_SET_DATA_LEN, sizeof(shape.mark));
    }
    put_number(message, NFTA_SET_ID, number);
    return message;
}

std::uint32_t hook_number(const std::string& hook) {
    static const std::map<std::string, std::uint32_t> numbers = {{"prerouting", NF_INET_PRE_ROUTING},
                                                                 {"input", NF_INET_LOCAL_IN},
                                                                 {"output", NF_INET_LOCAL_OUT},
                                                                 {"postrouting", NF_INET_POST_ROUTING}};
    return numbers.at(hook);
}

Message new_chain(const Chain& chain) {
    Message message = table_message(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    put_text(message, NFTA_CHAIN_TABLE, table_name);
    put_text(message, NFTA_CHAIN_NAME, chain.name);
    if (chain.type.empty())
        return message;
    put_text(message, NFTA_CHAIN_TYPE, chain.type);
    put_number(message, NFTA_CHAIN_POLICY, NF_ACCEPT);
    const Nest hook(message, NFTA_CHAIN_HOOK);
    put_number(message, NFTA_HOOK_HOOKNUM, hook_number(chain.hook));
    put_number(message, NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
    return message;
}

/// All of the table's.
Message delete_rules() {
    Message message = table_message(NFT_MSG_DELRULE, 0);
    put_text(message, NFTA_RULE_TABLE, table_name);
    return message;
}

Message new_anonymous_set(const AnonymousSet& set, std::uint32_t number) {
    Message message = table_message(NFT_MSG_NEWSET, NLM_F_CREATE);
    put_text(message, NFTA_SET_TABLE, table_name);
    put_text(message, NFTA_SET_NAME, set.is_map() ? anonymous_map : anonymous_set);
    put_number(message, NFTA_SET_FLAGS,
               NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | (set.intervals ? NFT_SET_INTERVAL : 0U) |
                   (set.is_map() ? NFT_SET_MAP : 0U));
    put_number(message, NFTA_SET_KEY_TYPE, set.key_type);
    put_number(message, NFTA_SET_KEY_LEN, static_cast<std::uint32_t>(set.entries.front().key.size()));
    if (set.is_map()) {
        put_number(message, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
        put_number(message, NFTA_SET_DATA_LEN, 0);
    }
    put_number(message, NFTA_SET_ID, number);
    const Nest description(message, NFTA_SET_DESC);
    put_number(message, NFTA_SET_DESC_SIZE, static_cast<std::uint32_t>(set.entries.size()));
    return message;
}

Message new_entries(const AnonymousSet& set, std::uint32_t number, std::size_t first, std::size_t last) {
    Message message = table_message(NFT_MSG_NEWSETELEM, NLM_F_CREATE, 256 + (last - first) * entry_bytes);
    put_text(message, NFTA_SET_ELEM_LIST_TABLE, table_name);
    put_text(message, NFTA_SET_ELEM_LIST_SET, set.is_map() ? anonymous_map : anonymous_set);
    put_number(message, NFTA_SET_ELEM_LIST_SET_ID, number);
    const Nest list(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    for (std::size_t i = first; i < last; ++i) {
        const AnonymousSet::Entry& entry = set.entries[i];
        const Nest element(message, NFTA_LIST_ELEM);
        if (entry.ends_interval)
            put_number(message, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        put_data(message, NFTA_SET_ELEM_KEY, entry.key);
        if (entry.verdict)
            put_verdict(message, NFTA_SET_ELEM_DATA, *entry.verdict);
    }
    return message;
}

/// Numbers of the statements' anonymous sets count up from `number`, in their order.
Message new_rule(const Rule& rule, std::uint32_t number) {
    Message message = table_message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, 8192);
    put_text(message, NFTA_RULE_TABLE, table_name);
    put_text(message, NFTA_RULE_CHAIN, rule.chain);
    {
        const Nest list(message, NFTA_RULE_EXPRESSIONS);
        put_expressions(message, code_of(rule), number);
    }
    const Bytes data = comment_data(rule.comment);
    put(message, NFTA_RULE_USERDATA, data.data(), data.size());
    return message;
}

void add_rule(const Rule& rule, std::uint32_t& number, std::vector<Step>& steps) {
    const std::string what = "rule of chain " + rule.chain + ": " + text_of(rule);
    const std::uint32_t first = number;
    for (const Statement& statement : rule.statements) {
        if (!statement.set)
            continue;
        const AnonymousSet& set = *statement.set;
        steps.push_back({new_anonymous_set(set, number), what});
        for (std::size_t from = 0; from < set.entries.size(); from += most_entries)
            steps.push_back({new_entries(set, number, from, std::min(from + most_entries, set.entries.size())), what});
        ++number;
    }
    steps.push_back({new_rule(rule, first), what});
}

struct Refused {
    int error = 0;  ///< errno; 0: nothing was refused
    std::string what;
};

Refused run(Socket& socket, const std::vector<Step>& steps) {
    Batch batch;
    batch.append(batch_begin());
    for (const Step& step : steps)
        batch.append(step.message);
    batch.append(batch_end());
    const auto rejections = socket.transact_whole(batch);
    if (rejections.empty())
        return {};
    const std::size_t index = rejections.front().index;
    return {rejections.front().error,
            index == 0 || index > steps.size() ? "the transaction as a whole" : steps[index - 1].what};
}

[[noreturn]] void fail(const Refused& refused) {
    throw std::system_error(refused.error, std::system_category(),
                            std::string("nftables table inet ") + table_name + ": the kernel refuses " + refused.what);
}

/// What the kernel says to a set, a chain or a rule that does not go with what is there.
bool is_about_shapes(int error) {
    switch (error) {
        case EEXIST:
        case EINVAL:
        case EBUSY:
        case ENOENT:
        case EOPNOTSUPP:
        case ERANGE:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::vector<Step> installation_of(const Ruleset& ruleset) {
    std::vector<Step> steps;
    steps.push_back({new_table(), "the table"});
    std::uint32_t number = 1;
    for (const auto& [name, shape] : all_sets())
        steps.push_back({new_set(name, shape, number++), "set " + name});
    for (const Chain& chain : ruleset.chains)
        steps.push_back({new_chain(chain), "chain " + chain.name});
    steps.push_back({delete_rules(), "the removal of former rules"});
    for (const Rule& rule : ruleset.rules)
        add_rule(rule, number, steps);
    return steps;
}

std::vector<Step> removal() {
    std::vector<Step> steps;
    steps.push_back({new_table(), "the table"});
    Message message = table_message(NFT_MSG_DELTABLE, 0);
    put_text(message, NFTA_TABLE_NAME, table_name);
    steps.push_back({std::move(message), "the removal of the table"});
    return steps;
}

void install(Socket& socket, const Ruleset& ruleset) {
    std::vector<Step> steps = installation_of(ruleset);
    Refused refused = run(socket, steps);
    if (is_about_shapes(refused.error)) {
        std::vector<Step> anew = removal();
        std::move(steps.begin(), steps.end(), std::back_inserter(anew));
        refused = run(socket, anew);
    }
    if (refused.error != 0)
        fail(refused);
}

void remove(Socket& socket) {
    if (const Refused refused = run(socket, removal()); refused.error != 0)
        fail(refused);
}

bool is_in_place(Socket& socket, const Ruleset& ruleset) {
    std::size_t ours = 0;
    std::size_t others = 0;
    auto answer = socket.dump(get_rules());
    for_each_message(
        answer, [&](nlmsghdr* header) { ++(parse_rule_comment(header).starts_with(ruleset.version) ? ours : others); });
    return ours == ruleset.rules.size() && others == 0;
}

}  // namespace netlink::nft
