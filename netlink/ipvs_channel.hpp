// The way to IPVS over generic netlink, which gives it another number each time that its module is loaded.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "netlink/kernel.hpp"
#include "netlink/socket.hpp"

namespace netlink {

class IpvsChannel {
public:
    /// Throws std::system_error: ENOENT when the kernel has no IPVS.
    IpvsChannel();

    /// Asks for the number anew; at most once a second while there is no IPVS, because the kernel looks for the module
    /// each time. False: there is none. Throws std::system_error.
    bool find();
    bool is_there() const { return family_ != 0; }

    /// Whether IPVS has come back since the last call: what it had is gone then.
    bool exchange_renewed();

    /// All messages of the answer; none while there is no IPVS. `request` makes it for a number. Throws
    /// std::system_error with the kernel's error.
    std::vector<char> ask(const std::function<Message(int family)>& request);

    /// Appends what the kernel refuses, all of it with EPROTONOSUPPORT while there is no IPVS. The changes are of
    /// virtual servers and real servers. Throws std::system_error.
    void apply(std::span<const Change> changes, std::size_t offset, std::vector<Refusal>& refusals);

    /// One message for the number that holds, whose rejection is returned as errno; 0: it is accepted.
    int transact(const std::function<Message(int family)>& request);

private:
    Socket socket_{NETLINK_GENERIC};
    Batch batch_;
    int family_ = 0;
    bool renewed_ = false;
    std::chrono::steady_clock::time_point asked_;
};

/// The number of generic netlink family "IPVS"; 0 when the kernel does not have it. May load the module.
int ipvs_family(Socket& socket);

}  // namespace netlink
