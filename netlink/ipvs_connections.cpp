#include "netlink/ipvs_connections.hpp"

#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "netlink/ipvs_text.hpp"

namespace netlink::ipvs {
namespace {

constexpr const char* path = "/proc/net/ip_vs_conn";

}  // namespace

std::optional<Connection> parse_connection(std::string_view line) {
    std::istringstream words{std::string(line)};
    std::string name;
    std::string from;
    std::string from_port;
    std::string to;
    std::string to_port;
    if (!(words >> name >> from >> from_port >> to >> to_port))
        return std::nullopt;
    const auto protocol = read_protocol(name);
    const auto client = read_address(from);
    const auto client_port = base::parse_number<std::uint16_t>(from_port, 16);
    const auto front = read_address(to);
    const auto port = base::parse_number<std::uint16_t>(to_port, 16);
    if (!protocol || !client || !client_port || !front || !port)
        return std::nullopt;
    return Connection{{*client, *client_port}, {*front, *protocol, *port}};
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
