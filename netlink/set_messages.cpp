#include "netlink/set_messages.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "netlink/nfnetlink.hpp"
#include "netlink/nft_words.hpp"
#include "netlink/received.hpp"

namespace netlink::nft {
namespace {

/// Fields of a concatenated key fill multiples of four bytes each.
struct Key {
    std::uint8_t data[40] = {};
    int size = 0;
    void add(const void* field, int length) {
        std::memcpy(data + size, field, static_cast<std::size_t>(length));
        size += (length + 3) & ~3;
    }
    void add(const Address& address) { add(address.bytes().data(), static_cast<int>(address.bytes().size())); }
};

Key key_of(const Element& element) {
    Key key;
    if (has_address(element.set)) {
        key.add(element.address);
        if (element.set == Set::hairpin)
            key.add(element.address);
    }
    if (has_port(element.set)) {
        const auto protocol = static_cast<std::uint8_t>(element.protocol);
        const std::uint16_t port = htons(element.port);
        key.add(&protocol, sizeof(protocol));
        key.add(&port, sizeof(port));
    }
    if (element.set == Set::mark)
        key.add(&element.mark, sizeof(element.mark));
    return key;
}

/// A key of a set `allowed` with this source behind it.
Key with_source(Key key, const Address& source) {
    key.add(source);
    return key;
}

/// A value of NFTA_DATA_VALUE; empty when there is none.
std::span<const std::uint8_t> value_in(nlattr* data) {
    nlattr* parts[NFTA_DATA_MAX + 1] = {};
    if (data == nullptr || nla_parse_nested(parts, NFTA_DATA_MAX, data, nullptr) < 0)
        return {};
    return bytes_of(parts[NFTA_DATA_VALUE]);
}

std::uint32_t mark_from(std::span<const std::uint8_t> bytes) {
    std::uint32_t mark = 0;
    if (bytes.size() >= sizeof(mark))
        std::memcpy(&mark, bytes.data(), sizeof(mark));
    return mark;
}

/// The reverse of key_of(); nullopt when the key has another size.
std::optional<Element> element_from(nlattr** parts, const Element& shape) {
    const std::size_t length = shape.address.is_v6() ? 16 : 4;
    const std::span<const std::uint8_t> key = value_in(parts[NFTA_SET_ELEM_KEY]);
    const auto size = static_cast<std::size_t>(key_of(shape).size);
    if (key.size() != size + (shape.sources ? length : 0))
        return std::nullopt;
    Element element = shape;
    const std::uint8_t* data = key.data();
    if (has_address(shape.set)) {
        element.address = Address({data, length});
        data += length;
    }
    if (has_port(shape.set)) {
        std::uint16_t port = 0;
        std::memcpy(&port, data + 4, sizeof(port));
        element.protocol = static_cast<Protocol>(data[0]);
        element.port = ntohs(port);
    }
    if (shape.set == Set::mark)
        element.mark = mark_from(key);
    if (is_map(shape.set))
        element.mark = mark_from(value_in(parts[NFTA_SET_ELEM_DATA]));
    if (shape.sources)
        element.sources =
            std::make_shared<base::Prefix>(base::Prefix{Address(key.subspan(size, length)), shape.sources->length});
    return element;
}

void put_value(const Message& message, int attribute, const Key& key) {
    const Nest nest(message, attribute);
    put(message, NFTA_DATA_VALUE, key.data, static_cast<std::size_t>(key.size));
}

void put_element(const Message& message, const Element& element) {
    const Nest nest(message, NFTA_LIST_ELEM);
    const Key key = key_of(element);
    put_value(message, NFTA_SET_ELEM_KEY, element.sources ? with_source(key, element.sources->address) : key);
    if (!is_map(element.set))
        return;
    Key mark;
    mark.add(&element.mark, sizeof(element.mark));
    put_value(message, NFTA_SET_ELEM_DATA, mark);
}

void put_elements(const Message& message, const std::vector<const Element*>& elements) {
    const Nest nest(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    for (const Element* element : elements)
        put_element(message, *element);
}

constexpr std::size_t most_bytes = 128;  // of an element in a message: a key of 40 bytes, a mark, and their headers

Message batch_edge(int type) {
    return nfnetlink_message(NFNL_SUBSYS_NONE, type, AF_UNSPEC, 0, Message::usual_size, NFNL_SUBSYS_NFTABLES);
}

}  // namespace

Message table_message(int type, int flags, std::size_t size) {
    return nfnetlink_message(NFNL_SUBSYS_NFTABLES, type, NFPROTO_INET, flags, size);
}

std::string set_name(const Element& element) {
    std::string name(to_string(element.set));
    if (has_address(element.set))
        name += element.address.is_v6() ? "6" : "4";
    if (element.sources)
        name += "_" + std::to_string(element.sources->length);
    return name;
}

std::vector<std::pair<std::string, Element>> all_sets() {
    std::vector<std::pair<std::string, Element>> sets;
    const auto add = [&](Element shape) {
        if (shape.set != Set::allowed) {
            sets.emplace_back(set_name(shape), shape);
            return;
        }
        for (int length = source_length_step; length <= shape.address.bits(); length += source_length_step) {
            shape.sources = std::make_shared<base::Prefix>(base::Prefix{shape.address, length});
            sets.emplace_back(set_name(shape), shape);
        }
    };
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Set::mark); ++i) {
        const auto set = static_cast<Set>(i);
        Element shape{set, Address(), Protocol::none, 0};
        add(shape);
        if (has_address(set)) {
            shape.address = Address::any_v6();
            add(shape);
        }
    }
    return sets;
}

std::vector<KeyType> key_types(const Element& shape) {
    const KeyType address = shape.address.is_v6() ? KeyType{"ipv6_addr", type::ipv6_address, 16}
                                                  : KeyType{"ipv4_addr", type::ipv4_address, 4};
    if (shape.set == Set::mark)
        return {{"mark", type::mark, 4}};
    std::vector<KeyType> types;
    if (has_address(shape.set))
        types.push_back(address);
    if (has_port(shape.set))
        types.insert(types.end(), {{"inet_proto", type::protocol, 1}, {"inet_service", type::port, 2}});
    if (shape.set == Set::hairpin || shape.set == Set::allowed)
        types.push_back(address);
    return types;
}

Message batch_begin() {
    return batch_edge(NFNL_MSG_BATCH_BEGIN);
}

Message batch_end() {
    return batch_edge(NFNL_MSG_BATCH_END);
}

Message change_elements(bool add, const std::vector<const Element*>& elements) {
    Message message = table_message(add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, add ? NLM_F_CREATE : 0,
                                    256 + elements.size() * most_bytes);
    nla_put_string(message.get(), NFTA_SET_ELEM_LIST_TABLE, table_name);
    nla_put_string(message.get(), NFTA_SET_ELEM_LIST_SET, set_name(*elements.front()).c_str());
    put_elements(message, elements);
    return message;
}

Message get_elements(const std::string& set) {
    Message message = table_message(NFT_MSG_GETSETELEM, NLM_F_DUMP);
    nla_put_string(message.get(), NFTA_SET_ELEM_LIST_TABLE, table_name);
    nla_put_string(message.get(), NFTA_SET_ELEM_LIST_SET, set.c_str());
    return message;
}

void parse_elements(nlmsghdr* header, const Element& shape, std::set<Element>& elements) {
    const auto found = attributes_of<nfgenmsg, NFTA_SET_ELEM_LIST_MAX>(header);
    if (!found || (*found)[NFTA_SET_ELEM_LIST_ELEMENTS] == nullptr)
        return;
    nlattr* item = nullptr;
    int left = 0;
    nla_for_each_nested(item, (*found)[NFTA_SET_ELEM_LIST_ELEMENTS], left) {
        nlattr* parts[NFTA_SET_ELEM_MAX + 1] = {};
        if (nla_parse_nested(parts, NFTA_SET_ELEM_MAX, item, nullptr) < 0)
            continue;
        if (auto element = element_from(parts, shape))
            elements.insert(elements.end(), std::move(*element));
    }
}

Message get_rules() {
    Message message = table_message(NFT_MSG_GETRULE, NLM_F_DUMP);
    nla_put_string(message.get(), NFTA_RULE_TABLE, table_name);
    return message;
}

/// The comment is a type-length-value entry of type 0 in the rule's user data (libnftnl, udata.h).
std::string parse_rule_comment(nlmsghdr* header) {
    const auto found = attributes_of<nfgenmsg, NFTA_RULE_USERDATA>(header);
    std::span<const std::uint8_t> data = found ? bytes_of((*found)[NFTA_RULE_USERDATA]) : bytes_of(nullptr);
    while (data.size() >= 2 && data.size() - 2 >= data[1]) {
        const auto value = data.subspan(2, data[1]);
        if (data[0] == 0 && !value.empty())
            return std::string(value.begin(), value.end() - 1);  // without the final zero
        data = data.subspan(2 + value.size());
    }
    return {};
}

}  // namespace netlink::nft
