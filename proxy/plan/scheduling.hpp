// How the virtual servers of a Service choose among their real servers: the annotations that say so, and what follows
// from them. Pure.
//
//     podferry.io/scheduler        a scheduler of IPVS; alias kube-router.io/service.scheduler
//     podferry.io/scheduler-flags  of mh and sh, separated by commas: fallback (flag-1), port (flag-2), flag-3;
//                                  alias kube-router.io/service.schedflags
//     podferry.io/slow-start       how long a new real server needs to its full share (slow_start.hpp): a Go duration
//                                  from 1s to 1h, or 0s for none, which is the default
//
// A podferry.io name wins over its alias. What is wrong is a problem of the Service, and the node's setting counts.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "api/objects/types.hpp"

namespace proxy {

struct Scheduling {
    std::string scheduler;
    std::uint32_t flags = 0;  ///< netlink::VirtualServerSettings::scheduler_flags
    /// Clients whose affinity is kept by a hash of their address get mh; where the kernel lacks it sh, and without
    /// both `scheduler`.
    std::string hashing;
    std::chrono::milliseconds slow_start{0};  ///< 0: none
    std::vector<std::string> problems;        ///< each as "field: sentence"
};

/// `usual`: the node's setting. `missing`: schedulers that this kernel has refused; instead of one of them the usual
/// one is used, or rr.
///
/// mh and sh always get their fallback flag: without it they refuse connections that hash to a real server of weight 0
/// (ip_vs_mh_get, ip_vs_sh_get). mh hashes the client's port too, as kube-proxy has it do, unless flags are given, the
/// name is kube-router's, or the Service has session affinity: then all nodes choose the same pod for a client.
Scheduling scheduling_of(const api::Service& service, const std::string& usual, const std::set<std::string>& missing);

}  // namespace proxy
