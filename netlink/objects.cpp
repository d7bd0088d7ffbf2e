#include "netlink/objects.hpp"

#include <cstdio>
#include <tuple>

#include "base/numbers.hpp"
#include "base/overloaded.hpp"

namespace netlink {
namespace {

std::strong_ordering compare(const base::Prefix* a, const base::Prefix* b) {
    if (a == nullptr || b == nullptr)
        return (a != nullptr) <=> (b != nullptr);
    return *a <=> *b;
}

const char* word(Protocol protocol) {
    switch (protocol) {
        case Protocol::tcp:
            return "tcp";
        case Protocol::udp:
            return "udp";
        case Protocol::sctp:
            return "sctp";
        case Protocol::none:
            break;
    }
    return "none";
}

std::string text(const VirtualServerSettings& settings) {
    std::string line = settings.scheduler;
    for (const auto& [flag, name] :
         {std::pair(scheduler_fallback, " fallback"), {scheduler_port, " port"}, {scheduler_flag_3, " flag-3"}})
        line += (settings.scheduler_flags & flag) != 0 ? name : "";
    return line + (settings.persistent ? " persistent " + std::to_string(settings.persistence_s) : "");
}

std::string text(const VirtualServer& server, const RealServer& real) {
    return to_string(server) + " " + endpoint_text(real.address, real.port);
}

struct Line {
    std::string operator()(const AddVirtualServer& c) const { return to_string(c.server) + " " + text(c.settings); }
    std::string operator()(const EditVirtualServer& c) const { return to_string(c.server) + " " + text(c.settings); }
    std::string operator()(const DeleteVirtualServer& c) const { return to_string(c.server); }
    std::string operator()(const AddRealServer& c) const {
        return text(c.server, c.real) + " weight " + std::to_string(c.weight);
    }
    std::string operator()(const EditRealServer& c) const {
        return text(c.server, c.real) + " weight " + std::to_string(c.weight);
    }
    std::string operator()(const DeleteRealServer& c) const { return text(c.server, c.real); }
    std::string operator()(const AddRoute& c) const { return c.route.address.to_string(); }
    std::string operator()(const DeleteRoute& c) const { return c.route.address.to_string(); }
    std::string operator()(const AddElement& c) const { return to_string(c.element); }
    std::string operator()(const DeleteElement& c) const { return to_string(c.element); }
    std::string operator()(const WithdrawElement& c) const { return to_string(c.element); }
};

}  // namespace

bool is_removal(const Change& change) {
    return std::visit(
        base::overloaded{[](const WithdrawElement&) { return true; }, [](const AddElement&) { return false; },
                         [](const AddVirtualServer&) { return false; }, [](const EditVirtualServer&) { return false; },
                         [](const AddRealServer&) { return false; }, [](const EditRealServer&) { return false; },
                         [](const AddRoute&) { return false; }, [](const DeleteRoute&) { return true; },
                         [](const DeleteRealServer&) { return true; }, [](const DeleteVirtualServer&) { return true; },
                         [](const DeleteElement&) { return true; }},
        change);
}

/// Protocol, port and mark, to be compared in this order: much of what planning costs is comparing elements.
static std::uint64_t packed(const Element& element) {
    return std::uint64_t{static_cast<std::uint8_t>(element.protocol)} << 48U | std::uint64_t{element.port} << 32U |
           element.mark;
}

std::strong_ordering Element::operator<=>(const Element& other) const {
    if (set != other.set)
        return set <=> other.set;
    if (const auto order = address <=> other.address; order != 0)
        return order;
    if (const auto order = packed(*this) <=> packed(other); order != 0)
        return order;
    return sources == other.sources ? std::strong_ordering::equal : compare(sources.get(), other.sources.get());
}
bool Element::operator==(const Element& other) const {
    return (*this <=> other) == 0;
}

std::string endpoint_text(const Address& address, std::uint16_t port) {
    const std::string text = address.to_string();
    return (address.is_v6() ? "[" + text + "]:" : text + ":") + std::to_string(port);
}

std::string to_string(const VirtualServer& server) {
    if (server.mark != 0)
        return "mark " + base::hexadecimal(server.mark) + (server.address.is_v6() ? "/ipv6" : "/ipv4");
    return endpoint_text(server.address, server.port) + "/" + word(server.protocol);
}

std::string_view to_string(Set set) {
    switch (set) {
        case Set::served:
            return "served";
        case Set::virtual_address:
            return "virtual_address";
        case Set::external:
            return "external";
        case Set::external_address:
            return "external_address";
        case Set::masquerade:
            return "masquerade";
        case Set::external_local:
            return "external_local";
        case Set::cluster:
            return "cluster";
        case Set::hairpin:
            return "hairpin";
        case Set::refused:
            return "refused";
        case Set::dropped:
            return "dropped";
        case Set::dropped_outside:
            return "dropped_outside";
        case Set::firewalled:
            return "firewalled";
        case Set::allowed:
            return "allowed";
        case Set::internal_mark:
            return "internal_mark";
        case Set::outside_mark:
            return "outside_mark";
        case Set::node_address:
            return "node_address";
        case Set::node_port:
            return "node_port";
        case Set::node_port_local:
            return "node_port_local";
        case Set::node_port_dropped:
            return "node_port_dropped";
        case Set::internal_node_port_mark:
            return "internal_node_port_mark";
        case Set::outside_node_port_mark:
            return "outside_node_port_mark";
        case Set::mark:
            return "marks";
    }
    return "?";
}

bool has_address(Set set) {
    return set < Set::node_port;
}

bool has_port(Set set) {
    return set != Set::virtual_address && set != Set::external_address && set != Set::hairpin &&
           set != Set::node_address && set != Set::mark;
}

bool captures(Set set) {
    return set == Set::external || set == Set::external_address;
}

bool is_map(Set set) {
    return set == Set::internal_mark || set == Set::outside_mark || set == Set::internal_node_port_mark ||
           set == Set::outside_node_port_mark;
}

std::string to_string(const Element& element) {
    std::string line(to_string(element.set));
    if (has_address(element.set))
        line += " " + element.address.to_string();
    if (element.protocol != Protocol::none)
        line += std::string(" ") + word(element.protocol) + " " + std::to_string(element.port);
    if (element.mark != 0)
        line += " " + base::hexadecimal(element.mark);
    if (element.sources)
        line += " " + element.sources->address.to_string() + "/" + std::to_string(element.sources->length);
    return line;
}

std::string_view operation(std::size_t index) {
    static constexpr std::string_view names[] = {"withdraw-element", "add-element",    "add-service",   "edit-service",
                                                 "add-server",       "edit-server",    "add-route",     "delete-route",
                                                 "delete-server",    "delete-service", "delete-element"};
    static_assert(std::size(names) == std::variant_size_v<Change>);
    return names[index];
}

std::string_view operation(const Change& change) {
    return operation(change.index());
}

std::string to_string(const Change& change) {
    return std::string(operation(change)) + " " + std::visit(Line{}, change);
}

}  // namespace netlink
