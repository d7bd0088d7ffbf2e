// Which packet mark stands for which endpoints of which service port. The kernel's own maps remember it over a restart.
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/objects.hpp"
#include "netlink/ruleset.hpp"
#include "proxy/plan/mirror.hpp"

namespace proxy {

/// What a service port can have a virtual server with a mark for.
struct MarkUse {
    api::ObjectName service;
    std::uint16_t port = 0;  ///< the Service's
    api::Protocol protocol = api::Protocol::tcp;
    enum class Pool : std::uint8_t { cluster, local, hashed } pool = Pool::cluster;
    auto operator<=>(const MarkUse&) const = default;
};

class Marks {
public:
    static constexpr std::size_t ordinary = 64;  ///< marks of one Service

    explicit Marks(netlink::Fwmark range) : range_(range), lowest_(std::uint64_t{range.value} + 1) {}

    /// The same use has the same mark until it is released. A new one gets the mark that `carrier` has in `kernel`,
    /// when it is free, else the lowest that is. nullopt: all are in use; or three quarters of them are, and the
    /// Service has many already (`ordinary`), so that a few Services with thousands of ports leave the others theirs.
    std::optional<std::uint32_t> allocate(const MarkUse& use, const netlink::Element& carrier, const Mirror& kernel);

    /// The marks of a service's uses.
    std::vector<std::pair<MarkUse, std::uint32_t>> of(const api::ObjectName& service) const;

    /// Frees the marks of a service's uses that are not among `used`.
    void keep(const api::ObjectName& service, const std::set<MarkUse>& used);

private:
    bool is_free(std::uint32_t mark) const;
    bool has_share(const api::ObjectName& service) const;

    netlink::Fwmark range_;
    std::map<MarkUse, std::uint32_t> marks_;
    std::set<std::uint32_t> taken_;
    std::map<api::ObjectName, std::size_t> counts_;  // of each Service
    std::uint64_t lowest_;                           // no mark below is free
};

}  // namespace proxy
