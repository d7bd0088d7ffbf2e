// Notices what others change in the kernel, from its notifications. IPVS sends none of its objects: the periodic audit
// is for that; only that its module has come or gone is told.
#pragma once

#include <cstdint>
#include <memory>

struct nlmsghdr;

namespace netlink {

/// Changes of our own are known by these.
struct OwnChanges {
    int route_protocol = 0;
    std::uint32_t route_port = 0;  ///< port ids of the sockets that make them
    std::uint32_t nft_port = 0;
};

struct Notices {
    bool damage = false;     ///< something of ours was changed by somebody else: an audit is due
    bool addresses = false;  ///< addresses of this host, or its default routes, have changed

    /// What one notification tells.
    void hear_of_route(nlmsghdr* header, const OwnChanges& own);
    void hear_of_nft(nlmsghdr* header, const OwnChanges& own);
    void hear_of_family(nlmsghdr* header);
};

class Monitor {
public:
    /// Hears of addresses, devices and policy rules. Throws std::system_error.
    explicit Monitor(OwnChanges own);
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    /// It hears of routes and of nftables too, from now on. Not from the start: the kernel writes a notification for
    /// each element that anybody adds as soon as one listens (nf_tables_setelem_notify), which makes a first
    /// programming several times as long (docs/performance.md). Throws std::system_error.
    void hear_of_objects();

    /// Non-blocking sockets to wait on; owned by the monitor.
    int route_socket() const { return route_; }
    int nft_socket() const { return nft_; }
    int families_socket() const { return families_; }

    /// Reads what has arrived. A full socket (ENOBUFS) counts as everything having happened.
    Notices read_routes();
    Notices read_nft();
    /// Reads generic netlink: IPVS has come or gone.
    Notices read_families();

private:
    OwnChanges own_;
    int route_ = -1;
    int nft_ = -1;
    int families_ = -1;
};

}  // namespace netlink
