// The real kernel: IPVS over generic netlink, local routes over rtnetlink, set elements over nfnetlink.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "netlink/input_passage.hpp"
#include "netlink/ipvs_channel.hpp"
#include "netlink/ipvs_config.hpp"
#include "netlink/ipvs_listing.hpp"
#include "netlink/kernel.hpp"
#include "netlink/policy_routes.hpp"
#include "netlink/routes.hpp"
#include "netlink/rules_in_kernel.hpp"
#include "netlink/ruleset.hpp"
#include "netlink/socket.hpp"

namespace netlink {

struct LinuxKernelOptions {
    int route_protocol = 159;
    /// Source addresses of the host's own connections to virtual addresses, at most one per family.
    std::vector<Address> sources;
    RulesetParameters rules;
};

class LinuxKernel : public Kernel {
public:
    /// Opens the sockets; changes nothing. Throws std::system_error when IPVS or netlink is not there
    /// (capabilities.hpp says why in words).
    explicit LinuxKernel(LinuxKernelOptions options);

    struct Prepared {
        std::vector<std::string> done;      ///< what had to be put in place, for the log
        std::vector<std::string> followed;  ///< what had to follow a change of the host's, or of ours: nobody's damage
        std::vector<std::string> problems;  ///< what cannot be put in place here, in sentences
        bool complete = true;               ///< false: device or table is missing
        bool ipvs_renewed = false;          ///< IPVS has come back since the last time, empty
    };
    /// Puts in place what exists once: our device, our policy routing, our table with its rules, the source
    /// addresses of our routes. Elements of sets stay. Policy routing of a family only once it has or had external
    /// addresses (apply() adds it with the first), and while the host has that family on: it makes each search for a
    /// route longer. One part that fails is a problem, and none of the others'. `host_changed`: addresses or families
    /// of the host have changed since the last time, and with them the kernel may have changed our routes.
    Prepared prepare(bool host_changed = false);

    /// The host's own connections to virtual addresses get these source addresses; the next prepare() changes routes
    /// that are there with another one, where they stand.
    void set_sources(std::vector<Address> sources) {
        sources_changed_ = sources_changed_ || sources != style_.sources;
        style_.sources = std::move(sources);
    }

    /// Addresses that another service proxy keeps on a device of its own: routes of ours come before theirs. Of all
    /// others a route is refused where somebody has the address.
    void set_shared(std::set<Address> addresses) { shared_ = std::move(addresses); }

    /// These are rules of our table; what is changed here, the next prepare() puts in place.
    void set_networks(RuleNetworks networks) { rules_.set_networks(std::move(networks)); }
    void guard_service_networks() { rules_.guard_service_networks(); }
    void count_passage(bool on) { rules_.count_passage(nft_, on); }
    Passage read_passage() { return rules_.read_passage(nft_); }
    /// What the one before us has noted there (read_notes() in rules_in_kernel.hpp).
    std::vector<std::string> read_notes() { return netlink::read_notes(nft_); }

    /// The timeouts of IPVS in this network namespace; 0 in `wanted` leaves one as it is. True when something had to be
    /// changed. Throws std::system_error.
    bool set_timeouts(const ipvs::Timeouts& wanted);
    ipvs::Timeouts timeouts();

    /// Lists in IPVS's connection table, of all network namespaces; 0 when the kernel does not say. Throws
    /// std::system_error.
    std::uint32_t connection_table_size();

    /// Connections of the real servers that read_real_servers() and list() have seen since the last call, templates of
    /// affinity included: what the kernel counts for each real server anyway, while a list of them would cost as much
    /// as there are.
    std::uint64_t exchange_connections_seen() { return std::exchange(connections_seen_, 0); }

    /// Removes our table (with its elements), our routing rules and our device (with its routes). Virtual servers are
    /// the caller's.
    void remove_table_and_device();

    std::vector<Refusal> apply(std::span<const Change> changes) override;
    void read_part(const Part& part, KernelState& state) override;
    std::vector<RealServers> read_real_servers(std::span<const VirtualServer> servers) override;
    std::unique_ptr<Listing> list() override { return IpvsListing::open(connections_seen_); }
    std::vector<ConnectionCounts> read_connections(std::span<const VirtualServer> servers) override;

    /// Port ids of our sockets: the senders of our own changes (monitor.hpp).
    std::uint32_t route_port() const { return route_.port(); }
    std::uint32_t nft_port() const { return nft_.port(); }

private:
    void prepare_device(Prepared& result);
    void prepare_policy_route(int family, Prepared& result);
    void prepare_rules(Prepared& result);
    int lead_marked_packets(int family);
    PolicyRoute policy_route() const;
    bool needs_policy_route(int family);
    std::vector<std::string> put_policy_route(int family);
    void read_elements(const std::string& name, const Element& shape, std::set<Element>& elements);
    void correct_sources(bool host_changed, Prepared& result);
    void apply_elements(std::span<const Change> changes, std::size_t offset, std::vector<Refusal>& refusals);

    int route_protocol_;
    RulesInKernel rules_;
    IpvsChannel ipvs_;
    Socket route_{NETLINK_ROUTE};
    Socket nft_{NETLINK_NETFILTER};
    bool sources_changed_ = false;    // since the last prepare()
    std::set<int> routed_by_policy_;  // families
    std::set<Address> shared_;        // set_shared()
    RouteStyle style_;
    Batch batch_;
    std::uint64_t connections_seen_ = 0;
};

}  // namespace netlink
