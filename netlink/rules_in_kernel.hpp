// The rules of our table as they are to be in the kernel, while what they are made of changes.
#pragma once

#include <string>
#include <vector>

#include "netlink/input_passage.hpp"
#include "netlink/ruleset.hpp"
#include "netlink/socket.hpp"

namespace netlink {

/// What of the rules' parameters comes from the cluster, and changes with it.
struct RuleNetworks {
    std::vector<base::Prefix> pods;      ///< RulesetParameters::pod_networks
    std::vector<base::Prefix> all_pods;  ///< all_pod_networks
    std::vector<base::Prefix> services;  ///< service_networks
    std::vector<std::string> notes;
    bool operator==(const RuleNetworks&) const = default;
};

class RulesInKernel {
public:
    explicit RulesInKernel(RulesetParameters parameters);

    /// The next put() makes the rules of them.
    void set_networks(RuleNetworks networks);

    /// Drops, from the next put() on, new connections to addresses of the service networks that no Service has: to
    /// be called once all Services are in the sets. Until then another proxy may serve them, by whose help the API
    /// server is reached. Over a restart the rules stay.
    void guard_service_networks();

    enum class Put {
        in_place,  ///< nothing had to be done
        followed,  ///< other rules were wanted than before
        replaced,  ///< somebody has removed or changed them
    };
    /// Elements of sets stay. Throws std::system_error.
    Put put(Socket& nft);

    /// Whether rules count the first packets of connections on both sides of the host's firewall. Where our table is,
    /// it gets or loses them now. Throws std::system_error.
    void count_passage(Socket& nft, bool on);
    /// What they have counted; nothing where there are none. Throws std::system_error.
    Passage read_passage(Socket& nft) const;

    const Fwmark& fwmark() const { return parameters_.fwmark; }

private:
    Ruleset made(bool guards) const;
    void make();

    RulesetParameters parameters_;
    bool guards_ = false;   // service networks
    bool follows_ = false;  // other rules are wanted since the last put()
    Ruleset ruleset_;
};

/// The notes of our table as it is in the kernel, whoever has made it. Throws std::system_error.
std::vector<std::string> read_notes(Socket& nft);

}  // namespace netlink
