// Takes addresses of Services off the device on which another service proxy has kept them, once what we have in the
// kernel takes their place. Of a proxy that is gone they stay away; one that lives puts them back, and then they are
// taken seldom: nobody wins a fight of writes. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/host/service_devices.hpp"

namespace proxy {

/// What is to be removed now.
struct Removal {
    std::string device;
    std::vector<netlink::HostAddress> addresses;
    bool whole = false;  ///< they are all that the device has: it goes too
};

class Takeover {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::size_t most_at_once = 256;  ///< so that the kernel's lock of links is held for a moment only
    static constexpr std::chrono::seconds first_pause{60};  ///< after addresses have come back; it doubles
    static constexpr std::chrono::seconds longest_pause{600};

    /// The device as it is now; nullptr: it is not there, or has no address.
    void look(const ServiceDevice* device, Time now);

    /// What is due. Call it when the kernel holds all that is wanted.
    std::optional<Removal> next(Time now) const;
    /// It has been done, or tried.
    void note_removed(const Removal& removal);

    /// Addresses have been put back: their proxy lives.
    bool is_contested() const { return returns_ > 0 && device_.has_value(); }
    /// Its name; empty: it is not there.
    std::string device() const { return device_ ? device_->name : ""; }
    /// How many addresses are there.
    std::size_t present() const { return device_ ? device_->addresses.size() : 0; }
    /// How many have been removed, since the start.
    std::size_t removed() const { return removed_total_; }

private:
    std::optional<ServiceDevice> device_;
    std::set<Address> removed_;  // since the device last came back, and not seen again
    bool emptied_ = false;
    int returns_ = 0;
    Time not_before_;
    std::size_t removed_total_ = 0;
};

}  // namespace proxy
