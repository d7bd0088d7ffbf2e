// What the probes say of pods. A value: whoever hears of a verdict puts it here (engine/probing.hpp), planning gets it
// as a const reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/objects.hpp"

namespace proxy {

/// What the probes of a pod's containers say together. It has failed if one of them has; else it is unknown while one
/// has not answered.
enum class PodVerdict : std::uint8_t { not_probed, unknown, ready, failed };

class Verdicts {
public:
    PodVerdict of(const api::ObjectName& pod) const;
    /// False: that was its verdict before. One that is ready or has failed is awaited no more.
    bool put(const api::ObjectName& pod, PodVerdict verdict);
    /// The pod is gone.
    void remove(const api::ObjectName& pod);

    /// The pod was known when podferry started, and has these addresses: until it is judged, the weights that the
    /// kernel has for it stand.
    void await(const api::ObjectName& pod, const std::vector<api::Address>& addresses);
    bool awaits(const api::ObjectName& pod) const { return awaited_.contains(pod); }
    /// Whether one of the pods that are awaited has the address.
    bool awaits(const base::Address& address) const { return addresses_.contains(address); }

private:
    void await_no_more(const api::ObjectName& pod);

    std::map<api::ObjectName, PodVerdict> verdicts_;                 // of those that are probed
    std::map<api::ObjectName, std::vector<base::Address>> awaited_;  // with their addresses
    std::map<base::Address, std::size_t> addresses_;                 // how many that are awaited have it
};

}  // namespace proxy
