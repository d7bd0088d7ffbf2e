#include "netlink/input_passage.hpp"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <optional>

#include "netlink/received.hpp"
#include "netlink/set_messages.hpp"

namespace netlink::nft {
namespace {

/// The packets of the rule's first counter.
std::optional<std::uint64_t> packets_of(nlmsghdr* rule) {
    const auto found = attributes_of<nfgenmsg, NFTA_RULE_MAX>(rule);
    if (!found || (*found)[NFTA_RULE_EXPRESSIONS] == nullptr)
        return std::nullopt;
    nlattr* item = nullptr;
    int left = 0;
    nla_for_each_nested(item, (*found)[NFTA_RULE_EXPRESSIONS], left) {
        nlattr* parts[NFTA_EXPR_MAX + 1] = {};
        nlattr* counter[NFTA_COUNTER_MAX + 1] = {};
        if (nla_parse_nested(parts, NFTA_EXPR_MAX, item, nullptr) < 0 || text_of(parts[NFTA_EXPR_NAME]) != "counter" ||
            parts[NFTA_EXPR_DATA] == nullptr)
            continue;
        if (nla_parse_nested(counter, NFTA_COUNTER_MAX, parts[NFTA_EXPR_DATA], nullptr) < 0)
            return std::nullopt;
        const auto packets = value_of<std::uint64_t>(counter[NFTA_COUNTER_PACKETS]);
        return packets ? std::optional(be64toh(*packets)) : std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

std::string passage_comment(bool arrives, const Lane& lane) {
    return std::string(arrives ? "arrives: " : "enters: ") + (lane.outside ? "outside" : "cluster") +
           (lane.ipv6 ? "6" : "4");
}

void add_passage(nlmsghdr* rule, Passage& passage) {
    const std::string comment = parse_rule_comment(rule);  // "VERSION: enters: cluster4"
    for (const bool arrives : {false, true})
        for (const bool outside : {false, true})
            for (const bool ipv6 : {false, true}) {
                const Lane lane{outside, ipv6};
                if (!comment.ends_with(": " + passage_comment(arrives, lane)))
                    continue;
                const std::uint64_t packets = packets_of(rule).value_or(0);
                PassageCount& count = passage[lane];
                (arrives ? count.arrived : count.entered) += packets;
                return;
            }
}

}  // namespace netlink::nft
