#include "proxy/host/port_set.hpp"

#include <fmt/format.h>

#include <charconv>

namespace proxy {
namespace {

/// The port that `text` begins with, which is cut off.
std::optional<std::size_t> cut_port(std::string_view& text) {
    std::size_t port = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (code != std::errc{} || port > 65535)
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return port;
}

}  // namespace

std::optional<PortSet> parse_ports(std::string_view text) {
    PortSet ports;
    while (!text.empty()) {
        const auto first = cut_port(text);
        auto last = first;
        if (first && text.starts_with('-')) {
            text.remove_prefix(1);
            last = cut_port(text);
        }
        if (!first || !last || *first > *last || (!text.empty() && (text[0] != ',' || text.size() == 1)))
            return std::nullopt;
        for (std::size_t port = *first; port <= *last; ++port)
            ports.set(port);
        text.remove_prefix(text.empty() ? 0 : 1);
    }
    return ports;
}

std::string to_string(const PortSet& ports) {
    std::string text;
    for (std::size_t first = 0; first < ports.size(); ++first) {
        if (!ports[first])
            continue;
        std::size_t last = first;
        while (last + 1 < ports.size() && ports[last + 1])
            ++last;
        text += text.empty() ? "" : ",";
        text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
        first = last;
    }
    return text;
}

}  // namespace proxy
