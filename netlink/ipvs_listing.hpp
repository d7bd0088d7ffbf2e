// IPVS's own list of virtual servers with their real servers, /proc/net/ip_vs (ip_vs_info_seq_show): one text, where
// netlink wants to be asked for each virtual server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlink/kernel.hpp"

namespace netlink {

/// Takes the text apart as it comes. Pure. What it does not understand it leaves out, up to the next virtual server.
class ListingText {
public:
    /// Appends to `servers` those that are known to be whole by now.
    void feed(std::string_view text, std::vector<ListedServer>& servers);
    void finish(std::vector<ListedServer>& servers);

    /// Connections of all real servers, active and inactive, since the last call.
    std::uint64_t take_connections() { return std::exchange(connections_, 0); }

private:
    void line(std::string_view text, std::vector<ListedServer>& servers);
    void real_server(std::string_view text);

    std::string rest_;
    std::optional<ListedServer> current_;
    std::uint64_t connections_ = 0;
};

/// The file, of the network namespace of the thread that opens it; `connections` must outlive it.
class IpvsListing : public Listing {
public:
    /// nullptr when there is no such file, or it may not be read.
    static std::unique_ptr<Listing> open(std::uint64_t& connections);
    explicit IpvsListing(int file, std::uint64_t& connections) : file_(file), connections_(&connections) {}
    ~IpvsListing() override;
    IpvsListing(const IpvsListing&) = delete;
    IpvsListing& operator=(const IpvsListing&) = delete;

    std::vector<ListedServer> next(std::size_t count) override;

private:
    int file_;
    std::uint64_t* connections_;
    ListingText text_;
    std::string buffer_ = std::string(std::size_t{64} * 1024, '\0');
};

}  // namespace netlink
