// Local routes, our dummy device, and what the host has of addresses and routes, over rtnetlink.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "netlink/host.hpp"
#include "netlink/message.hpp"
#include "netlink/objects.hpp"
#include "netlink/socket.hpp"

namespace netlink {

/// The device that carries our local routes; it has no addresses.
inline constexpr const char* device_name = "podferry0";

/// How our routes look: protocol number, device, and the source address of the host's own connections through them
/// (one for each family; none: the kernel chooses).
struct RouteStyle {
    int protocol = 159;
    int interface = 0;
    std::vector<Address> sources;
};

/// nullptr: the kernel chooses.
const Address* source_for(const RouteStyle& style, const LocalRoute& route);

/// Refused where the address is somebody else's (EEXIST); `before_others`: it takes precedence over theirs of table
/// local, as `ip route prepend` does. Of IPv6, theirs keep it, by their metric, until they are gone.
Message add_route(const RouteStyle& style, const LocalRoute& route, bool before_others = false);
/// Changes a route that is there and ours.
Message replace_route(const RouteStyle& style, const LocalRoute& route);
Message delete_route(const RouteStyle& style, const LocalRoute& route);

/// A route of the protocol in table local, and its source address (unspecified: none); nullopt when the message is
/// anything else.
std::optional<std::pair<LocalRoute, Address>> parse_route(nlmsghdr* header, int protocol);

/// The routes with our protocol number in table local, and their source addresses (unspecified: none). The socket must
/// filter_dumps().
std::map<LocalRoute, Address> read_routes(Socket& socket, int protocol);

/// What the kernel says of a link; empty: there is none of that name. Asked over netlink: for a name that it does not
/// know, if_nametoindex() makes the kernel start modprobe (dev_load()). Throws std::system_error.
std::vector<char> ask_for_link(Socket& socket, const std::string& name);

/// The index of an interface; 0: there is none. Asked likewise.
int interface_index(Socket& socket, const std::string& name);

/// Deletes the link, if it is there. Returns the kernel's errno. Throws std::system_error when it cannot be asked.
int delete_link(Socket& socket, const std::string& name);

/// Creates the device if need be, and sets it up. Throws std::system_error. Returns its index.
int ensure_device(Socket& socket);

/// Deletes the device if it exists. Throws std::system_error.
void delete_device(Socket& socket);

}  // namespace netlink
