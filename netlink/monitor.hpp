// Notices what others change in the kernel, from its notifications. IPVS sends none of its objects: the periodic audit
// is for that; only that its module has come or gone is told.
#pragma once

#include <cstdint>
#include <memory>

namespace netlink {

struct Notices {
    bool damage = false;     ///< something of ours was changed by somebody else: an audit is due
    bool addresses = false;  ///< addresses of this host, or its default routes, have changed
};

class Monitor {
public:
    struct Own {
        int route_protocol = 0;
        std::uint32_t route_port = 0;  ///< port ids whose changes are our own
        std::uint32_t nft_port = 0;
    };

    /// Hears of addresses, devices and policy rules. Throws std::system_error.
    explicit Monitor(Own own);
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    /// From now on also of routes and of nftables. Not from the start: the kernel writes a notification for each
    /// element that anybody adds as soon as one listens (nf_tables_setelem_notify), which makes a first programming
    /// several times as long (docs/performance.md). Throws std::system_error.
    void hear_of_objects();

    /// Non-blocking sockets to wait on; owned by the monitor.
    int route_socket() const { return route_; }
    int nft_socket() const { return nft_; }
    int families_socket() const { return families_; }

    /// Reads what has arrived. A full socket (ENOBUFS) counts as everything having happened.
    Notices read_routes();
    Notices read_nft();
    /// Of generic netlink: IPVS has come or gone.
    Notices read_families();

private:
    Own own_;
    int route_ = -1;
    int nft_ = -1;
    int families_ = -1;
};

}  // namespace netlink
