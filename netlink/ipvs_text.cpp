#include "netlink/ipvs_text.hpp"

#include <cstdint>
#include <string>

namespace netlink::ipvs {

std::optional<Address> read_address(std::string_view word) {
    if (word.find(':') == std::string_view::npos) {
        const auto number = word.size() == 8 ? base::parse_number<std::uint32_t>(word, 16) : std::nullopt;
        return number ? std::optional(Address::v4(*number)) : std::nullopt;
    }
    return base::parse_address(word);
}

std::optional<Protocol> read_protocol(std::string_view word) {
    if (word == "TCP")
        return Protocol::tcp;
    if (word == "UDP")
        return Protocol::udp;
    return word == "SCTP" ? std::optional(Protocol::sctp) : std::nullopt;
}

}  // namespace netlink::ipvs
