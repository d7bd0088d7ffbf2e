#include "netlink/nft_expressions.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <variant>

namespace netlink::nft {
namespace {

/// Each is one element of a rule's list: its name, and in a nest its attributes.
class Writer {
public:
    Writer(const Message& message, std::uint32_t number) : message_(message), number_(number) {}

    void operator()(const LoadMeta& load) {
        expression("meta", [&] {
            number(NFTA_META_KEY, load.key);
            number(NFTA_META_DREG, load.reg);
        });
    }
    void operator()(const SetMeta& set) {
        expression("meta", [&] {
            number(NFTA_META_KEY, set.key);
            number(NFTA_META_SREG, set.reg);
        });
    }
    void operator()(const LoadPayload& load) {
        expression("payload", [&] {
            number(NFTA_PAYLOAD_DREG, load.reg);
            number(NFTA_PAYLOAD_BASE, load.base);
            number(NFTA_PAYLOAD_OFFSET, load.offset);
            number(NFTA_PAYLOAD_LEN, load.length);
        });
    }
    void operator()(const LoadConntrack& load) {
        expression("ct", [&] {
            number(NFTA_CT_KEY, load.key);
            number(NFTA_CT_DREG, load.reg);
            if (load.direction)
                put(message_, NFTA_CT_DIRECTION, &*load.direction, sizeof(*load.direction));
        });
    }
    void operator()(const LoadAddressType& load) {
        expression("fib", [&] {
            number(NFTA_FIB_DREG, load.reg);
            number(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
            number(NFTA_FIB_FLAGS, load.destination ? NFTA_FIB_F_DADDR : NFTA_FIB_F_SADDR);
        });
    }
    void operator()(const Bitwise& change) {
        expression("bitwise", [&] {
            number(NFTA_BITWISE_SREG, change.reg);
            number(NFTA_BITWISE_DREG, change.reg);
            number(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(change.mask.size()));
            put_data(message_, NFTA_BITWISE_MASK, change.mask);
            put_data(message_, NFTA_BITWISE_XOR, change.flip);
        });
    }
    void operator()(const Compare& compare) {
        expression("cmp", [&] {
            number(NFTA_CMP_SREG, compare.reg);
            number(NFTA_CMP_OP, compare.equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
            put_data(message_, NFTA_CMP_DATA, compare.data);
        });
    }
    void operator()(const Lookup& lookup) {
        expression("lookup", [&] {
            number(NFTA_LOOKUP_SREG, lookup.reg);
            if (lookup.into)
                number(NFTA_LOOKUP_DREG, *lookup.into);
            if (lookup.inverted)
                number(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
            const bool anonymous = lookup.set.empty();
            put_text(message_, NFTA_LOOKUP_SET,
                     !anonymous ? lookup.set : std::string(lookup.into ? anonymous_map : anonymous_set));
            if (anonymous)
                number(NFTA_LOOKUP_SET_ID, number_++);
        });
    }
    void operator()(const Verdict& verdict) {
        expression("immediate", [&] {
            number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
            put_verdict(message_, NFTA_IMMEDIATE_DATA, verdict);
        });
    }
    void operator()(const Counter&) {
        expression("counter", [] {});
    }
    void operator()(const Reject& reject) {
        expression("reject", [&] {
            number(NFTA_REJECT_TYPE, reject.type);
            put(message_, NFTA_REJECT_ICMP_CODE, &reject.code, sizeof(reject.code));
        });
    }
    void operator()(const Masquerade& masquerade) {
        expression("masq", [&] { number(NFTA_MASQ_FLAGS, masquerade.flags); });
    }
    void operator()(const TranslateDestination& translate) {
        expression("nat", [&] {
            number(NFTA_NAT_TYPE, NFT_NAT_DNAT);
            number(NFTA_NAT_FAMILY, translate.family);
            number(NFTA_NAT_REG_ADDR_MIN, translate.reg);
        });
    }

private:
    template <class Attributes>
    void expression(const char* name, Attributes attributes) {
        const Nest element(message_, NFTA_LIST_ELEM);
        put_text(message_, NFTA_EXPR_NAME, name);
        const Nest data(message_, NFTA_EXPR_DATA);
        attributes();
    }
    void number(int attribute, std::uint32_t value) { put_number(message_, attribute, value); }

    const Message& message_;
    std::uint32_t number_;
};

}  // namespace

void put_text(const Message& message, int attribute, const std::string& text) {
    put(message, attribute, text.c_str(), text.size() + 1);
}

void put_number(const Message& message, int attribute, std::uint32_t number) {
    put_u32(message, attribute, htonl(number));
}

void put_data(const Message& message, int attribute, const Bytes& data) {
    const Nest nest(message, attribute);
    put(message, NFTA_DATA_VALUE, data.data(), data.size());
}

void put_verdict(const Message& message, int attribute, const Verdict& verdict) {
    const Nest data(message, attribute);
    const Nest nest(message, NFTA_DATA_VERDICT);
    put_number(message, NFTA_VERDICT_CODE, static_cast<std::uint32_t>(verdict.code));
    if (!verdict.chain.empty())
        put_text(message, NFTA_VERDICT_CHAIN, verdict.chain);
}

void put_expressions(const Message& message, const std::vector<Expression>& code, std::uint32_t number) {
    Writer writer(message, number);
    for (const Expression& expression : code)
        std::visit(writer, expression);
}

Bytes comment_data(const std::string& comment) {
    constexpr std::uint8_t kind = 0;  // NFTNL_UDATA_RULE_COMMENT
    const std::string text = comment.substr(0, 253);
    Bytes data{kind, static_cast<std::uint8_t>(text.size() + 1)};
    data.insert(data.end(), text.c_str(), text.c_str() + text.size() + 1);
    return data;
}

}  // namespace netlink::nft
