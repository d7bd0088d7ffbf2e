// IPVS's own list of virtual servers with their real servers, /proc/net/ip_vs (ip_vs_info_seq_show): one text, where
// netlink wants to be asked for each virtual server.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "netlink/kernel.hpp"

namespace netlink {

/// What it does not understand it leaves out, up to the next virtual server. Counts the connections of all real
/// servers, active and inactive, in `connections`, which must outlive it.
class IpvsListing : public Listing {
public:
    /// Opens that of this network namespace; nullptr when there is no such file, or it may not be read.
    static std::unique_ptr<Listing> open(std::uint64_t& connections);
    IpvsListing(std::unique_ptr<std::istream> text, std::uint64_t& connections)
        : text_(std::move(text)), connections_(&connections) {}

    std::vector<ListedServer> next(std::size_t count) override;

private:
    void finish(std::vector<ListedServer>& servers);
    void virtual_server(std::string_view text);
    void real_server(std::string_view text);

    std::unique_ptr<std::istream> text_;
    std::uint64_t* connections_;
    std::optional<ListedServer> current_;
};

}  // namespace netlink
