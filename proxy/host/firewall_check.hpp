// Whether this host's own firewall lets new connections to Services come to IPVS. A chain that drops by policy may have
// a rule that lets them in, and a rule may look at what we do not know; so nothing is accused for what it could do.
// What is counted on both sides of it decides (netlink/input_passage.hpp), on traffic that really happens. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlink/base_chains.hpp"
#include "netlink/input_passage.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

class FirewallCheck {
public:
    /// `service_ranges`: for the rule that the remedy names.
    explicit FirewallCheck(std::vector<base::Prefix> service_ranges) : service_ranges_(std::move(service_ranges)) {}
    void set_service_ranges(std::vector<base::Prefix> ranges) { service_ranges_ = std::move(ranges); }

    /// What is there now, and what has been counted so far. Counts that have become less have begun anew.
    void look(netlink::HostFirewall found, const netlink::Passage& counts);

    /// Somebody is there who could drop: it is worth to count.
    bool wants_counts() const { return found_.legacy || !found_.chains.empty(); }

    /// Proven: new connections of that family come to this host and do not come to IPVS.
    bool blocks(bool ipv6) const;

    /// What is proven; or, while nothing has been counted, who may drop. The same from look to look while nothing
    /// changes.
    std::vector<std::string> problems() const;

    /// What has been proven since the last call.
    std::optional<std::string> exchange_news();

private:
    enum class Verdict { unknown, open, shut };
    struct Judgement {
        Verdict verdict = Verdict::unknown;
        netlink::PassageCount judged;  // what had been counted by then
    };
    static void judge(bool outside, const netlink::PassageCount& now, Judgement& judgement);
    std::string proven(const netlink::Lane& lane) const;
    std::string culprits(bool ipv6) const;
    std::string remedy(const netlink::DroppingChain& chain, bool ipv6) const;

    std::vector<base::Prefix> service_ranges_;
    netlink::HostFirewall found_;
    std::map<netlink::Lane, Judgement> lanes_;
    std::vector<std::string> told_;
};

}  // namespace proxy
