#include "netlink/ipvs_text.hpp"

#include <cstdint>
#include <string>

namespace netlink::ipvs {

std::optional<Address> read_address(std::string_view word) {
    if (word.find(':') == std::string_view::npos) {
        const auto number = word.size() == 8 ? read_number<std::uint32_t>(word, 16) : std::nullopt;
        return number ? std::optional<Address>(boost::asio::ip::address_v4(*number)) : std::nullopt;
    }
    boost::system::error_code wrong;
    const auto six = boost::asio::ip::make_address_v6(std::string(word), wrong);
    return wrong ? std::nullopt : std::optional<Address>(six);
}

std::optional<Protocol> read_protocol(std::string_view word) {
    if (word == "TCP")
        return Protocol::tcp;
    if (word == "UDP")
        return Protocol::udp;
    return word == "SCTP" ? std::optional(Protocol::sctp) : std::nullopt;
}

}  // namespace netlink::ipvs
