// Whether another service proxy is on this node, by the marks that it leaves: its device, its table or chains of
// nftables, its port. Pure; who reads the kernel passes in what is there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlink/base_chains.hpp"
#include "proxy/host/takeover.hpp"

namespace proxy {

class OtherProxies {
public:
    using Time = Takeover::Time;

    /// All devices that hold addresses of Services now.
    void look_at_devices(const std::vector<ServiceDevice>& devices, Time now);
    /// Tables and chains of kube-proxy, as an audit has found them.
    void look_at_chains(const netlink::ProxyChains& chains) { chains_ = chains; }
    /// A port of ours is taken by somebody, or is not any more. It counts where it is kube-proxy's by default.
    void note_port(std::uint16_t port, bool taken);

    /// What is to be taken off a device now. While kube-proxy's port is somebody else's, kube-proxy lives, and keeps
    /// its addresses. Call it when the kernel holds all that is wanted.
    std::optional<Removal> next_removal(Time now) const;
    void note_removed(const Removal& removal);

    /// A sentence for each proxy that has marks here, with the remedy. What is being taken over is none.
    std::vector<std::string> problems() const;
    /// Whether kube-proxy or kube-router has marks here: for the gauge.
    bool has_marks(DeviceOwner owner) const;
    /// What problems() says for the first time, or again after it had gone: Events of the Node.
    std::vector<std::string> exchange_news();
    static constexpr const char* reason = "OtherServiceProxy";  ///< the Events'

    /// How many addresses have been taken off devices, since the start.
    std::size_t removed() const;

private:
    std::optional<std::string> problem_of(DeviceOwner owner) const;
    const Takeover& takeover_of(DeviceOwner owner) const;
    std::vector<std::string> marks_of(DeviceOwner owner) const;

    std::map<DeviceOwner, Takeover> takeovers_;
    netlink::ProxyChains chains_;
    std::set<std::uint16_t> taken_ports_;  // of kube-proxy's
    std::map<DeviceOwner, bool> told_;
};

}  // namespace proxy
