#include "netlink/ipvs_connections.hpp"

#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace netlink::ipvs {
namespace {

constexpr const char* path = "/proc/net/ip_vs_conn";

template <class Number>
std::optional<Number> hexadecimal(std::string_view text) {
    Number number{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (code != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

/// "0A600005", or "fd00:0096:0000:0000:0000:0000:0000:0005".
std::optional<Address> address(const std::string& text) {
    if (text.find(':') == std::string::npos) {
        const auto number = hexadecimal<std::uint32_t>(text);
        return number ? std::optional<Address>(boost::asio::ip::address_v4(*number)) : std::nullopt;
    }
    boost::system::error_code wrong;
    const auto six = boost::asio::ip::make_address_v6(text, wrong);
    return wrong ? std::nullopt : std::optional<Address>(six);
}

Protocol protocol(std::string_view name) {
    if (name == "TCP")
        return Protocol::tcp;
    if (name == "UDP")
        return Protocol::udp;
    return name == "SCTP" ? Protocol::sctp : Protocol::none;
}

}  // namespace

std::optional<Connection> parse_connection(std::string_view line) {
    std::istringstream words{std::string(line)};
    std::string name;
    std::string from;
    std::string from_port;
    std::string to;
    std::string to_port;
    if (!(words >> name >> from >> from_port >> to >> to_port) || protocol(name) == Protocol::none)
        return std::nullopt;
    const auto client = address(from);
    const auto client_port = hexadecimal<std::uint16_t>(from_port);
    const auto front = address(to);
    const auto port = hexadecimal<std::uint16_t>(to_port);
    if (!client || !client_port || !front || !port)
        return std::nullopt;
    return Connection{{*client, *client_port}, {*front, protocol(name), *port}};
}

void each_connection(const std::function<void(const Connection&)>& visit) {
    std::ifstream file(path);
    if (!file)
        throw std::runtime_error(std::string(path) + " cannot be read");
    for (std::string line; std::getline(file, line);)
        if (const auto connection = parse_connection(line))
            visit(*connection);
}

}  // namespace netlink::ipvs
