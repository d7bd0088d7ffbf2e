// Words of IPVS's texts in /proc/net (ip_vs_info_seq_show(), ip_vs_conn_seq_show()).
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

#include "netlink/objects.hpp"

namespace netlink::ipvs {

/// The whole word as a number of that base; nullopt when it is none.
template <class Number>
std::optional<Number> read_number(std::string_view word, int base) {
    Number number{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
    if (error != std::errc{} || end != word.data() + word.size())
        return std::nullopt;
    return number;
}

/// "0A600005", or "fd00:0096:0000:0000:0000:0000:0000:0005".
std::optional<Address> read_address(std::string_view word);

/// "TCP", "UDP", "SCTP"; nullopt: another word.
std::optional<Protocol> read_protocol(std::string_view word);

}  // namespace netlink::ipvs
