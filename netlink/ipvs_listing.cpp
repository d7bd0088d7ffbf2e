#include "netlink/ipvs_listing.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace netlink {
namespace {

/// The next word; empty at the end.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// "0A600001:0050", "[fd00:0096:0000:0000:0000:0000:0000:0001]:0050".
bool read_end_point(std::string_view text, Address& address, std::uint16_t& port) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || !read_number(text.substr(colon + 1), port, 16))
        return false;
    const std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        boost::system::error_code error;
        address = boost::asio::ip::make_address_v6(std::string(host.substr(1, host.size() - 2)), error);
        return !error;
    }
    std::uint32_t number = 0;
    if (host.size() != 8 || !read_number(host, number, 16))
        return false;
    address = boost::asio::ip::address_v4(number);
    return true;
}

std::optional<Protocol> read_protocol(std::string_view word) {
    if (word == "TCP")
        return Protocol::tcp;
    if (word == "UDP")
        return Protocol::udp;
    return word == "SCTP" ? std::optional(Protocol::sctp) : std::nullopt;
}

}  // namespace

void ListingText::feed(std::string_view text, std::vector<ListedServer>& servers) {
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        if (rest_.empty()) {
            line(text.substr(0, end), servers);
        } else {
            rest_ += text.substr(0, end);
            line(rest_, servers);
            rest_.clear();
        }
        text.remove_prefix(end + 1);
    }
    rest_ += text;
}

void ListingText::finish(std::vector<ListedServer>& servers) {
    if (current_)
        servers.push_back(std::move(*current_));
    current_.reset();
}

void ListingText::line(std::string_view text, std::vector<ListedServer>& servers) {
    if (text.starts_with("  -> "))
        return real_server(text.substr(5));
    finish(servers);
    const auto protocol = read_protocol(take_word(text));
    ListedServer server;
    if (!protocol || !read_end_point(take_word(text), server.server.address, server.server.port))
        return;
    take_word(text);  // the scheduler
    for (std::string_view flag = take_word(text); !flag.empty(); flag = take_word(text))
        if (flag == "persistent")
            return;  // templates are not counted here
    server.server.protocol = *protocol;
    current_ = std::move(server);
}

/// "0A010107:1F90      Masq    1      0          0".
void ListingText::real_server(std::string_view text) {
    RealServer real;
    int weight = 0;
    std::uint64_t active = 0;
    std::uint64_t inactive = 0;
    const std::string_view end_point = take_word(text);
    const std::string_view forward = take_word(text);
    const bool understood = read_end_point(end_point, real.address, real.port) && forward == "Masq" &&
                            read_number(take_word(text), weight, 10) && read_number(take_word(text), active, 10) &&
                            read_number(take_word(text), inactive, 10);
    if (!current_)
        return;
    if (!understood) {
        current_.reset();
        return;
    }
    current_->real_servers.emplace(real, weight);
    connections_ += active + inactive;
}

// ---- the file ------------------------------------------------------------------------------------------------

std::unique_ptr<Listing> IpvsListing::open(std::uint64_t& connections) {
    const int file = ::open("/proc/thread-self/net/ip_vs", O_RDONLY | O_CLOEXEC);
    return file < 0 ? nullptr : std::make_unique<IpvsListing>(file, connections);
}

IpvsListing::~IpvsListing() {
    ::close(file_);
}

std::vector<ListedServer> IpvsListing::next(std::size_t count) {
    std::vector<ListedServer> servers;
    while (servers.size() < count) {
        const ssize_t size = ::read(file_, buffer_.data(), buffer_.size());
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            throw std::system_error(errno, std::system_category(), "/proc/net/ip_vs");
        if (size == 0) {
            text_.finish(servers);
            break;
        }
        text_.feed(std::string_view(buffer_).substr(0, static_cast<std::size_t>(size)), servers);
    }
    *connections_ += text_.take_connections();
    return servers;
}

}  // namespace netlink
