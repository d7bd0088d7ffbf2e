#include "proxy/host/other_proxies.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace proxy {
namespace {

constexpr DeviceOwner proxies[] = {DeviceOwner::kube_proxy, DeviceOwner::kube_router};
constexpr std::uint16_t ports_of_kube_proxy[] = {10249, 10256};  // of its metrics, of its health

const char* remedy(DeviceOwner owner) {
    return owner == DeviceOwner::kube_proxy
               ? "take kube-proxy off this node (kubeadm: delete its DaemonSet, and upgrade with phase "
                 "addon/kube-proxy skipped; k3s and RKE2: disable-kube-proxy), and remove what it leaves "
                 "(podferry cleanup --kube-proxy; docs/operations.md, Moving from kube-proxy)"
               : "run kube-router with --run-service-proxy=false, and remove what it leaves (kube-router "
                 "--cleanup-config, or boot the node anew)";
}

}  // namespace

void OtherProxies::look_at_devices(const std::vector<ServiceDevice>& devices, Time now) {
    for (const DeviceOwner owner : proxies) {
        const ServiceDevice* found = nullptr;
        for (const ServiceDevice& device : devices)
            if (device.owner == owner)
                found = &device;
        takeovers_[owner].look(found, now);
    }
}

void OtherProxies::note_port(std::uint16_t port, bool taken) {
    if (std::find(std::begin(ports_of_kube_proxy), std::end(ports_of_kube_proxy), port) ==
        std::end(ports_of_kube_proxy))
        return;
    if (taken)
        taken_ports_.insert(port);
    else
        taken_ports_.erase(port);
}

std::optional<Removal> OtherProxies::next_removal(Time now) const {
    for (const auto& [owner, takeover] : takeovers_) {
        if (owner == DeviceOwner::kube_proxy && !taken_ports_.empty())
            continue;
        if (auto removal = takeover.next(now))
            return removal;
    }
    return std::nullopt;
}

void OtherProxies::note_removed(const Removal& removal) {
    for (auto& [owner, takeover] : takeovers_)
        if (takeover.device() == removal.device)
            takeover.note_removed(removal);
}

/// One of nothing where no device has been looked at yet.
const Takeover& OtherProxies::takeover_of(DeviceOwner owner) const {
    static const Takeover none;
    const auto found = takeovers_.find(owner);
    return found == takeovers_.end() ? none : found->second;
}

std::vector<std::string> OtherProxies::marks_of(DeviceOwner owner) const {
    std::vector<std::string> marks;
    const Takeover& takeover = takeover_of(owner);
    if (takeover.present() > 0)
        marks.push_back(fmt::format("device {} with {} addresses of Services", takeover.device(), takeover.present()));
    if (owner != DeviceOwner::kube_proxy)
        return marks;
    if (!chains_.table.empty())
        marks.push_back("table " + chains_.table + " of nftables");
    if (!chains_.chain.empty())
        marks.push_back("chain " + chains_.chain + " of iptables");
    return marks;
}

bool OtherProxies::has_marks(DeviceOwner owner) const {
    return !marks_of(owner).empty();
}

std::optional<std::string> OtherProxies::problem_of(DeviceOwner owner) const {
    const auto marks = marks_of(owner);
    if (marks.empty())
        return std::nullopt;
    const Takeover& takeover = takeover_of(owner);
    const bool has_port = owner == DeviceOwner::kube_proxy && !taken_ports_.empty();
    const std::string what = fmt::format("{}", fmt::join(marks, ", "));
    if (takeover.is_contested())
        return fmt::format("{} runs on this node beside podferry: {}, which it has put back: {}", word(owner), what,
                           remedy(owner));
    if (has_port)
        return fmt::format("{} runs on this node beside podferry: {}, and port {} is taken: {}", word(owner), what,
                           *taken_ports_.rbegin(), remedy(owner));
    if (takeover.present() > 0 && marks.size() == 1)
        return std::nullopt;  // it is being taken over
    return fmt::format(
        "{} runs on this node, or has left there: {}: its rules may refuse or lead elsewhere what podferry carries: {}",
        word(owner), what, remedy(owner));
}

std::vector<std::string> OtherProxies::problems() const {
    std::vector<std::string> all;
    for (const DeviceOwner owner : proxies)
        if (auto problem = problem_of(owner))
            all.push_back(std::move(*problem));
    return all;
}

std::vector<std::string> OtherProxies::exchange_news() {
    std::vector<std::string> news;
    for (const DeviceOwner owner : proxies) {
        const auto problem = problem_of(owner);
        if (!std::exchange(told_[owner], problem.has_value()) && problem)
            news.push_back(*problem);
    }
    return news;
}

std::size_t OtherProxies::removed() const {
    std::size_t all = 0;
    for (const auto& [owner, takeover] : takeovers_)
        all += takeover.removed();
    return all;
}

}  // namespace proxy
