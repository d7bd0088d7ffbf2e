// Links of this host that are not ours: their kind, and the addresses on them.
#pragma once

#include <netlink/msg.h>

#include <optional>
#include <span>
#include <string>

#include "netlink/host.hpp"

namespace netlink {

/// The kind of a link, as the kernel calls it ("dummy", "veth"); empty: it has none, as a network card, or there is no
/// such link. Throws std::system_error when the kernel cannot be asked.
std::string link_kind(const std::string& name);

/// Takes the addresses off the link, one by one. What is gone already is no failure. Returns a sentence of the first
/// that the kernel refuses; empty: all are gone. Throws std::system_error when the kernel cannot be spoken to.
std::string remove_addresses(const std::string& link, std::span<const HostAddress> addresses);

/// Deletes the link, if it is there and of kind dummy. Throws like remove_addresses(); returns like it.
std::string delete_dummy(const std::string& link);

/// A link's kind, of a message that tells of one.
std::optional<std::string> parse_link_kind(nlmsghdr* header);

}  // namespace netlink
