#include "netlink/ipvs_listing.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "netlink/ipvs_text.hpp"

namespace netlink {
namespace {

constexpr const char* path = "/proc/net/ip_vs";

/// The next word; empty at the end.
std::string_view next_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

struct EndPoint {
    Address address;
    std::uint16_t port;
};

/// "0A600001:0050", "[fd00:0096:0000:0000:0000:0000:0000:0001]:0050".
std::optional<EndPoint> read_end_point(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    const auto address = ipvs::read_address(host);
    const auto port = base::parse_number<std::uint16_t>(text.substr(colon + 1), 16);
    return address && port ? std::optional(EndPoint{*address, *port}) : std::nullopt;
}

}  // namespace

std::unique_ptr<Listing> IpvsListing::open(std::uint64_t& connections) {
    auto file = std::make_unique<std::ifstream>(path);
    return *file ? std::make_unique<IpvsListing>(std::move(file), connections) : nullptr;
}

std::vector<ListedServer> IpvsListing::next(std::size_t count) {
    std::vector<ListedServer> servers;
    std::string line;
    while (servers.size() < count && std::getline(*text_, line)) {
        if (line.starts_with("  -> ")) {
            real_server(std::string_view(line).substr(5));
            continue;
        }
        finish(servers);
        virtual_server(line);
    }
    if (text_->bad())
        throw std::system_error(EIO, std::system_category(), path);
    if (text_->eof())
        finish(servers);
    return servers;
}

/// The one before has all of its real servers.
void IpvsListing::finish(std::vector<ListedServer>& servers) {
    if (current_)
        servers.push_back(std::move(*current_));
    current_.reset();
}

/// "TCP  0A600005:0050 rr persistent 10800 FFFFFFFF".
void IpvsListing::virtual_server(std::string_view text) {
    const auto protocol = ipvs::read_protocol(next_word(text));
    const auto end_point = read_end_point(next_word(text));
    if (!protocol || !end_point)
        return;
    next_word(text);  // the scheduler
    for (std::string_view flag = next_word(text); !flag.empty(); flag = next_word(text))
        if (flag == "persistent")
            return;  // templates are not counted here
    current_ = ListedServer{{end_point->address, *protocol, end_point->port}, {}};
}

/// "0A010107:1F90      Masq    1      0          0".
void IpvsListing::real_server(std::string_view text) {
    if (!current_)
        return;
    const auto end_point = read_end_point(next_word(text));
    const bool masq = next_word(text) == "Masq";
    const auto weight = base::parse_number<int>(next_word(text));
    const auto active = base::parse_number<std::uint64_t>(next_word(text));
    const auto inactive = base::parse_number<std::uint64_t>(next_word(text));
    if (!end_point || !masq || !weight || !active || !inactive) {
        current_.reset();
        return;
    }
    current_->real_servers.emplace(RealServer{end_point->address, end_point->port}, *weight);
    *connections_ += *active + *inactive;
}

}  // namespace netlink
