#include "proxy/host/takeover.hpp"

#include <algorithm>

namespace proxy {

void Takeover::look(const ServiceDevice* device, Time now) {
    device_ = device == nullptr ? std::nullopt : std::optional(*device);
    if (!device_) {
        emptied_ = emptied_ || !removed_.empty();
        return;
    }
    const bool back = emptied_ || std::any_of(device_->addresses.begin(), device_->addresses.end(),
                                              [&](const auto& one) { return removed_.contains(one.address); });
    if (!back)
        return;
    const auto pause = std::min(first_pause * (1 << std::min(returns_, 10)), longest_pause);
    ++returns_;
    not_before_ = now + pause;
    removed_.clear();
    emptied_ = false;
}

std::optional<Removal> Takeover::next(Time now) const {
    if (!device_ || now < not_before_)
        return std::nullopt;
    Removal removal{device_->name, device_->addresses, device_->addresses.size() <= most_at_once};
    removal.addresses.resize(std::min(removal.addresses.size(), most_at_once));
    return removal;
}

void Takeover::note_removed(const Removal& removal) {
    for (const netlink::HostAddress& address : removal.addresses)
        removed_.insert(address.address);
    removed_total_ += removal.addresses.size();
    if (!device_)
        return;
    std::erase_if(device_->addresses, [&](const auto& one) { return removed_.contains(one.address); });
    if (!device_->addresses.empty())
        return;
    device_.reset();
    emptied_ = true;
}

}  // namespace proxy
