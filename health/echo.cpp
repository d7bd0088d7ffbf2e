#include "health/echo.hpp"

#include <boost/endian/conversion.hpp>

namespace health {
namespace {

namespace endian = boost::endian;

constexpr std::uint8_t request_type(bool ipv6) {
    return ipv6 ? 128 : 8;  // RFC 4443, RFC 792
}
constexpr std::uint8_t reply_type(bool ipv6) {
    return ipv6 ? 129 : 0;
}

}  // namespace

EchoBytes echo_request(bool ipv6, std::uint16_t sequence, const Echo& echo) {
    EchoBytes bytes{};
    bytes[0] = request_type(ipv6);
    endian::store_big_u16(&bytes[6], sequence);
    endian::store_big_u64(&bytes[8], echo.token);
    endian::store_big_s64(&bytes[16], echo.asked.time_since_epoch().count());
    bytes[24] = static_cast<std::uint8_t>(echo.path);
    return bytes;
}

std::optional<Echo> read_echo_reply(bool ipv6, std::span<const std::uint8_t> bytes) {
    if (bytes.size() != echo_size || bytes[0] != reply_type(ipv6) || bytes[1] != 0 || bytes[24] > 1)
        return std::nullopt;
    return Echo{endian::load_big_u64(&bytes[8]), static_cast<NodeCheck::Path>(bytes[24]),
                Time(Time::duration(endian::load_big_s64(&bytes[16])))};
}

}  // namespace health
