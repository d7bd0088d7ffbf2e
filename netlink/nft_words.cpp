#include "netlink/nft_words.hpp"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "base/numbers.hpp"
#include "netlink/nft_networks.hpp"

namespace netlink::nft {
namespace {

constexpr std::uint32_t first = NFT_REG_1;
constexpr std::uint32_t status_confirmed = 8;  // IPS_CONFIRMED
constexpr std::uint32_t loopback_index = 1;    // LOOPBACK_IFINDEX, in each network namespace

/// The bytes are those that the processor has in memory.
template <class Number>
Bytes bytes_of(Number number) {
    Bytes bytes(sizeof(number));
    std::memcpy(bytes.data(), &number, sizeof(number));
    return bytes;
}

/// The register whose first byte is so many words of four bytes behind the first: as nft(8) names it.
std::uint32_t register_at(std::uint32_t word) {
    return word % 4 == 0 ? static_cast<std::uint32_t>(NFT_REG_1) + word / 4
                         : static_cast<std::uint32_t>(NFT_REG32_00) + word;
}

Expression into(Expression load, std::uint32_t reg) {
    std::visit(
        [reg](auto& expression) {
            if constexpr (requires { expression.reg; })
                expression.reg = reg;
        },
        load);
    return load;
}

void load(Statement& statement, const Key& key) {
    std::uint32_t word = 0;
    for (const Field& field : key) {
        statement.text += (word == 0 ? "" : " . ") + field.text;
        statement.nfproto = std::max(statement.nfproto, field.nfproto);
        const std::uint32_t reg = register_at(word);
        statement.code.push_back(into(field.load, reg));
        if (!field.mask.empty())
            statement.code.push_back(Bitwise{reg, field.mask, Bytes(field.mask.size())});
        word += (field.size + 3) / 4;
    }
}

Statement look_up(const Key& key, const std::string& set, bool inverted) {
    Statement statement;
    load(statement, key);
    statement.text += (inverted ? " != @" : " @") + set;
    statement.code.push_back(Lookup{set, first, inverted, std::nullopt});
    return statement;
}

Field address_field(const IpFamily& family, const char* which, std::uint32_t offset4, std::uint32_t offset6) {
    const bool v6 = family.bits == 128;
    const std::uint32_t size = v6 ? 16 : 4;
    return {std::string(family.ip) + " " + which, v6 ? type::ipv6_address : type::ipv4_address, size,
            LoadPayload{NFT_PAYLOAD_NETWORK_HEADER, v6 ? offset6 : offset4, size, 0}, family.nfproto};
}

/// Connection tracking knows it whatever the packet has become. The key names the family.
Field tracked_address(const IpFamily& family, const std::string& which, std::uint8_t direction, std::uint32_t key4,
                      std::uint32_t key6) {
    const bool v6 = family.bits == 128;
    return {"ct " + which.substr(0, which.find(' ')) + " " + family.ip + which.substr(which.find(' ')),
            v6 ? type::ipv6_address : type::ipv4_address, v6 ? 16U : 4U, LoadConntrack{v6 ? key6 : key4, direction, 0}};
}

std::uint8_t number_of(const std::string& protocol) {
    static const std::pair<const char*, std::uint8_t> numbers[] = {
        {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"icmpv6", 58}, {"sctp", 132}};
    for (const auto& [name, number] : numbers)
        if (protocol == name)
            return number;
    throw std::logic_error("no protocol of our rules: " + protocol);
}

const char* word_of(State state) {
    switch (state) {
        case State::invalid:
            return "invalid";
        case State::established:
            return "established";
        case State::related:
            return "related";
        case State::new_:
            return "new";
        case State::untracked:
            return "untracked";
    }
    return "?";
}

template <class Items, class Text>
std::string joined(const Items& items, const char* between, Text text) {
    std::string line;
    for (const auto& item : items)
        line += (line.empty() ? "" : between) + std::string(text(item));
    return line;
}

/// Some bit of the register is one of the mask.
void any_bit(Statement& statement, std::uint32_t mask) {
    statement.code.push_back(Bitwise{first, bytes_of(mask), bytes_of(std::uint32_t{0})});
    statement.code.push_back(Compare{false, first, bytes_of(std::uint32_t{0})});
}

Statement address_type(const char* address, bool destination, bool local) {
    return {std::string("fib ") + address + " type " + (local ? "" : "!= ") + "local",
            {LoadAddressType{destination, first}, Compare{local, first, bytes_of(std::uint32_t{RTN_LOCAL})}}};
}

/// A single prefix is compared, several are a set of intervals: as nft(8) does.
Statement compare_networks(const Field& address, const std::vector<base::Prefix>& networks, bool inside) {
    Statement statement{address.text + (inside ? " { " : " != { ") +
                            joined(networks, ", ", [](const base::Prefix& network) { return to_string(network); }) +
                            " }",
                        {},
                        address.nfproto};
    if (networks.size() > 1) {
        statement.code = {into(address.load, first), Lookup{"", first, !inside, std::nullopt}};
        statement.set = {address.type, true, intervals_of(networks)};
        return statement;
    }
    const base::Prefix& prefix = networks.at(0);
    LoadPayload load = std::get<LoadPayload>(address.load);
    load.reg = first;
    const bool whole_bytes = prefix.length > 0 && prefix.length % 8 == 0;
    const std::size_t length = whole_bytes ? static_cast<std::size_t>(prefix.length) / 8 : address.size;
    load.length = static_cast<std::uint32_t>(length);
    statement.code.push_back(load);
    if (!whole_bytes)
        statement.code.push_back(Bitwise{first, mask_of(prefix.length, address.size), Bytes(address.size)});
    const auto bytes = prefix.address.bytes().first(length);
    Bytes wanted(bytes.begin(), bytes.end());
    statement.code.push_back(Compare{inside, first, std::move(wanted)});
    return statement;
}

/// The kernel has a name with zeros behind it; where only its beginning counts, only that is compared.
Statement compare_interface(const std::string& name, bool equal) {
    const bool beginning = name.ends_with('*');
    Bytes wanted(name.begin(), name.end() - (beginning ? 1 : 0));
    if (!beginning)
        wanted.resize(IFNAMSIZ);
    return {std::string("iifname ") + (equal ? "" : "!= ") + '"' + name + '"',
            {LoadMeta{NFT_META_IIFNAME, first}, Compare{equal, first, std::move(wanted)}}};
}

Statement verdict(std::string text, int code, std::string chain = "") {
    return {std::move(text), {Verdict{code, std::move(chain)}}};
}

}  // namespace

std::string text_of(const Rule& rule) {
    return joined(rule.statements, " ", [](const Statement& statement) { return statement.text; });
}

std::vector<Expression> code_of(const Rule& rule) {
    std::vector<Expression> code;
    std::uint8_t asked = 0;
    for (const Statement& statement : rule.statements) {
        if (statement.nfproto != 0 && statement.nfproto != asked) {
            asked = statement.nfproto;
            const auto question = is_of(ip_families[asked == NFPROTO_IPV6 ? 1 : 0]).code;
            code.insert(code.end(), question.begin(), question.end());
        }
        if (statement.asks_nfproto != 0)
            asked = statement.asks_nfproto;
        code.insert(code.end(), statement.code.begin(), statement.code.end());
    }
    return code;
}

Field saddr(const IpFamily& family) {
    return address_field(family, "saddr", 12, 8);
}
Field daddr(const IpFamily& family) {
    return address_field(family, "daddr", 16, 24);
}
Field l4proto() {
    return {"meta l4proto", type::protocol, 1, LoadMeta{NFT_META_L4PROTO, 0}};
}
Field dport() {
    return {"th dport", type::port, 2, LoadPayload{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0}};
}
Field original_daddr(const IpFamily& family) {
    return tracked_address(family, "original daddr", IP_CT_DIR_ORIGINAL, NFT_CT_DST_IP, NFT_CT_DST_IP6);
}
Field original_dport() {
    return {"ct original proto-dst", type::port, 2, LoadConntrack{NFT_CT_PROTO_DST, IP_CT_DIR_ORIGINAL, 0}};
}
Field reply_saddr(const IpFamily& family) {
    return tracked_address(family, "reply saddr", IP_CT_DIR_REPLY, NFT_CT_SRC_IP, NFT_CT_SRC_IP6);
}
Field reply_sport() {
    return {"ct reply proto-src", type::port, 2, LoadConntrack{NFT_CT_PROTO_SRC, IP_CT_DIR_REPLY, 0}};
}

Field network_of(Field address, int length) {
    if (length == static_cast<int>(address.size) * 8)
        return address;
    address.mask = mask_of(length, address.size);
    address.text += " & " + text_of_address(address.mask);
    return address;
}

Statement is_in(const Key& key, const std::string& set) {
    return look_up(key, set, false);
}
Statement is_not_in(const Key& key, const std::string& set) {
    return look_up(key, set, true);
}
Statement is_in_networks(const Field& address, const std::vector<base::Prefix>& networks) {
    return compare_networks(address, networks, true);
}
Statement is_not_in_networks(const Field& address, const std::vector<base::Prefix>& networks) {
    return compare_networks(address, networks, false);
}

Statement is_of(const IpFamily& family) {
    return {std::string("meta nfproto ") + family.name,
            {LoadMeta{NFT_META_NFPROTO, first}, Compare{true, first, {family.nfproto}}},
            0,
            family.nfproto};
}

Statement protocol_is(const std::string& protocol) {
    return {"meta l4proto " + protocol,
            {LoadMeta{NFT_META_L4PROTO, first}, Compare{true, first, {number_of(protocol)}}}};
}

Statement protocol_is_one_of(const std::vector<std::string>& protocols) {
    AnonymousSet set{type::protocol, false, {}};
    for (const std::string& protocol : protocols)
        set.entries.push_back({{number_of(protocol)}, false, std::nullopt});
    return {"meta l4proto { " + joined(protocols, ", ", [](const std::string& name) { return name; }) + " }",
            {LoadMeta{NFT_META_L4PROTO, first}, Lookup{"", first, false, std::nullopt}},
            0,
            0,
            std::move(set)};
}

Statement state_is(const std::vector<State>& states) {
    Statement statement{"ct state " + joined(states, ",", word_of), {LoadConntrack{NFT_CT_STATE, std::nullopt, first}}};
    std::uint32_t mask = 0;
    for (const State state : states)
        mask |= static_cast<std::uint32_t>(state);
    any_bit(statement, mask);
    return statement;
}

Statement state_is_one_of(const std::vector<State>& states) {
    AnonymousSet set{type::conntrack_state, false, {}};
    for (const State state : states)
        set.entries.push_back({bytes_of(static_cast<std::uint32_t>(state)), false, std::nullopt});
    return {"ct state { " + joined(states, ", ", word_of) + " }",
            {LoadConntrack{NFT_CT_STATE, std::nullopt, first}, Lookup{"", first, false, std::nullopt}},
            0,
            0,
            std::move(set)};
}

Statement state_is_not(State state) {
    return {std::string("ct state != ") + word_of(state),
            {LoadConntrack{NFT_CT_STATE, std::nullopt, first},
             Compare{false, first, bytes_of(static_cast<std::uint32_t>(state))}}};
}

Statement is_reply() {
    return {"ct direction reply",
            {LoadConntrack{NFT_CT_DIRECTION, std::nullopt, first}, Compare{true, first, {IP_CT_DIR_REPLY}}}};
}

Statement is_confirmed() {
    Statement statement{"ct status confirmed", {LoadConntrack{NFT_CT_STATUS, std::nullopt, first}}};
    any_bit(statement, status_confirmed);
    return statement;
}

Statement source_is_local() {
    return address_type("saddr", false, true);
}
Statement source_is_not_local() {
    return address_type("saddr", false, false);
}
Statement destination_is_not_local() {
    return address_type("daddr", true, false);
}

Statement does_not_leave_by_loopback() {
    return {"oif != lo", {LoadMeta{NFT_META_OIF, first}, Compare{false, first, bytes_of(loopback_index)}}};
}

Statement came_by(const std::string& interface) {
    return compare_interface(interface, true);
}
Statement did_not_come_by(const std::string& interface) {
    return compare_interface(interface, false);
}

Statement mark_is(std::uint32_t value, std::uint32_t mask) {
    return {"meta mark & " + base::hexadecimal(mask) + " == " + base::hexadecimal(value),
            {LoadMeta{NFT_META_MARK, first}, Bitwise{first, bytes_of(mask), bytes_of(std::uint32_t{0})},
             Compare{true, first, bytes_of(value)}}};
}

Statement counted() {
    return {"counter", {Counter{}}};
}
Statement accept() {
    return verdict("accept", NF_ACCEPT);
}
Statement drop() {
    return verdict("drop", NF_DROP);
}
Statement back() {
    return verdict("return", NFT_RETURN);
}
Statement go_to(const std::string& chain) {
    return verdict("goto " + chain, NFT_GOTO, chain);
}
Statement jump(const std::string& chain) {
    return verdict("jump " + chain, NFT_JUMP, chain);
}

Statement go_by_protocol(const std::vector<ProtocolChain>& chains) {
    AnonymousSet map{type::protocol, false, {}};
    for (const auto& [protocol, chain] : chains)
        map.entries.push_back({{number_of(protocol)}, false, Verdict{NFT_GOTO, chain}});
    const auto text = [](const ProtocolChain& to) { return to.protocol + " : goto " + to.chain; };
    return {"meta l4proto vmap { " + joined(chains, ", ", text) + " }",
            {LoadMeta{NFT_META_L4PROTO, first}, Lookup{"", first, false, std::uint32_t{NFT_REG_VERDICT}}},
            0,
            0,
            std::move(map)};
}

Statement change_mark(std::uint32_t keep, std::uint32_t add) {
    return {"meta mark set meta mark & " + base::hexadecimal(keep) + (add == 0 ? "" : " | " + base::hexadecimal(add)),
            {LoadMeta{NFT_META_MARK, first}, Bitwise{first, bytes_of(keep & ~add), bytes_of(add)},
             SetMeta{NFT_META_MARK, first}}};
}

Statement look_up_mark(const Key& key, const std::string& map) {
    Statement statement;
    load(statement, key);
    statement.text = "meta mark set " + statement.text + " map @" + map;
    statement.code.push_back(Lookup{map, first, false, first});
    statement.code.push_back(SetMeta{NFT_META_MARK, first});
    return statement;
}

Statement reset_tcp() {
    return {"reject with tcp reset", {Reject{NFT_REJECT_TCP_RST, 0}}};
}
Statement refuse_port() {
    return {"reject with icmpx type port-unreachable",
            {Reject{NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_PORT_UNREACH}}};
}
Statement masquerade_at_random() {
    return {"masquerade fully-random", {Masquerade{NF_NAT_RANGE_PROTO_RANDOM_FULLY}}};
}

Statement keep_destination(const IpFamily& family) {
    const Field to = daddr(family);
    return {std::string("dnat ") + family.ip + " to " + to.text,
            {into(to.load, first), TranslateDestination{family.nfproto, first}},
            family.nfproto};
}

}  // namespace netlink::nft
