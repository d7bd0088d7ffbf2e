#include "proxy/config/setting_values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <optional>
#include <regex>

#include "api/cluster/server_url.hpp"
#include "base/go_duration.hpp"
#include "base/numbers.hpp"
#include "netlink/schedulers.hpp"

namespace proxy {
namespace {

constexpr const char* on_node_ip_word = "node_ip";
constexpr std::array<std::string_view, 3> check_modes = {"off", "observe", "enforce"};
constexpr std::array detect_local_modes = {"ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"};

std::vector<std::string> split_commas(const Values& values) {
    std::vector<std::string> parts;
    for (const std::string& value : values) {
        std::vector<std::string> pieces;
        boost::algorithm::split(pieces, value, [](char c) { return c == ','; });
        for (std::string& piece : pieces) {
            boost::algorithm::trim(piece);
            if (!piece.empty())
                parts.push_back(std::move(piece));
        }
    }
    return parts;
}

std::string not_one(const Values& values) {
    return values.size() == 1 ? "" : "takes one value";
}

template <class T>
std::string quoted_list(const std::vector<T>& values) {
    std::vector<std::string> texts;
    for (const T& value : values)
        texts.push_back("\"" + value + "\"");
    return fmt::format("[{}]", fmt::join(texts, ", "));
}

bool one_per_family(std::size_t v6, std::size_t all) {
    return v6 <= 1 && all - v6 <= 1;
}

std::string duration_text(long ms) {
    if (ms % 3'600'000 == 0 && ms != 0)
        return fmt::format("{}h", ms / 3'600'000);
    if (ms % 60'000 == 0 && ms != 0)
        return fmt::format("{}m", ms / 60'000);
    return ms % 1'000 == 0 ? fmt::format("{}s", ms / 1'000) : fmt::format("{}ms", ms);
}

/// A duration as Go writes it ("90s", "1m30s", "1.5h"), of whole milliseconds.
std::optional<long> milliseconds(const std::string& text) {
    const auto time = base::parse_go_duration(text);
    if (!time || *time % std::chrono::milliseconds(1) != std::chrono::nanoseconds(0))
        return std::nullopt;
    return *time / std::chrono::milliseconds(1);
}

}  // namespace

std::string read_text(std::string& target, const Values& values) {
    if (auto wrong = not_one(values); !wrong.empty())
        return wrong;
    target = values[0];
    return "";
}

std::string read_path(std::string& target, const Values& values) {
    if (auto wrong = not_one(values); !wrong.empty())
        return wrong;
    if (values[0].empty() || values[0][0] != '/')
        return fmt::format("'{}' is not an absolute path", values[0]);
    target = values[0];
    return "";
}

std::string read_optional_path(std::string& target, const Values& values) {
    if (values.empty() || (values.size() == 1 && values[0].empty())) {
        target.clear();
        return "";
    }
    return read_path(target, values);
}

std::string read_servers(std::vector<std::string>& target, const Values& values) {
    std::vector<std::string> servers = split_commas(values);
    for (const std::string& server : servers)
        if (const auto url = api::parse_server_url(server); !url)
            return url.error();
    target = std::move(servers);
    return "";
}

std::string read_paths(std::vector<std::string>& target, const Values& values) {
    std::vector<std::string> paths = split_commas(values);
    for (const std::string& path : paths)
        if (path.front() != '/')
            return fmt::format("'{}' is no absolute path", path);
    target = std::move(paths);
    return "";
}

/// The mask leaves free the low bits, which number the marks: at least 8 of them.
std::string read_fwmark(netlink::Fwmark& target, const Values& values) {
    if (auto wrong = not_one(values); !wrong.empty())
        return wrong;
    const auto slash = values[0].find('/');
    const auto value = base::parse_hexadecimal(std::string_view(values[0]).substr(0, slash));
    const auto mask = slash == std::string::npos
                          ? std::nullopt
                          : base::parse_hexadecimal(std::string_view(values[0]).substr(slash + 1));
    if (!value || !mask)
        return fmt::format("'{}' is not VALUE/MASK, such as 0x50460000/0xffff0000", values[0]);
    const std::uint32_t free = ~*mask;
    if ((free & (free + 1)) != 0 || free < 0xff)
        return "the mask must be ones followed by at least 8 zero bits, such as 0xffff0000";
    if (*value == 0 || (*value & ~*mask) != 0)
        return "the value must be inside the mask, and not zero";
    target = {*value, *mask};
    return "";
}

std::string read_scheduler(std::string& target, const Values& values) {
    if (auto wrong = not_one(values); !wrong.empty())
        return wrong;
    if (!netlink::is_scheduler(values[0]))
        return fmt::format("'{}' is not a scheduler; use one of {}", values[0], fmt::join(netlink::schedulers(), " "));
    target = values[0];
    return "";
}

std::string read_flag(bool& target, const Values& values) {
    if (values.size() != 1 || (values[0] != "true" && values[0] != "false"))
        return "must be true or false";
    target = values[0] == "true";
    return "";
}

std::string read_any_prefixes(std::vector<base::Prefix>& target, const Values& values) {
    std::vector<base::Prefix> prefixes;
    for (const std::string& text : split_commas(values)) {
        const auto prefix = base::parse_prefix(text);
        if (!prefix)
            return fmt::format("'{}' is not a CIDR with clear host bits, such as 10.96.0.0/16", text);
        prefixes.push_back(*prefix);
    }
    target = std::move(prefixes);
    return "";
}

std::string read_external_ips(ExternalIps& target, const Values& values) {
    if (values.size() == 1 && (values[0] == "all" || values[0] == "none")) {
        target = {values[0] == "all", {}};
        return "";
    }
    std::vector<base::Prefix> networks;
    if (auto wrong = read_any_prefixes(networks, values); !wrong.empty())
        return wrong + "; or all, or none";
    if (networks.empty())
        return "must be all, none or a list of CIDRs";
    target = {false, std::move(networks)};
    return "";
}

std::string read_prefixes(std::vector<base::Prefix>& target, const Values& values) {
    std::vector<base::Prefix> prefixes;
    if (auto wrong = read_any_prefixes(prefixes, values); !wrong.empty())
        return wrong;
    const auto v6 =
        std::count_if(prefixes.begin(), prefixes.end(), [](const base::Prefix& p) { return p.address.is_v6(); });
    if (!one_per_family(static_cast<std::size_t>(v6), prefixes.size()))
        return "takes at most one CIDR of each address family";
    target = std::move(prefixes);
    return "";
}

std::string read_addresses(std::vector<Address>& target, const Values& values) {
    std::vector<Address> addresses;
    std::size_t v6 = 0;
    for (const std::string& text : split_commas(values)) {
        const auto address = base::parse_address(text);
        if (!address)
            return fmt::format("'{}' is not an IP address", text);
        if (address->is_unspecified() || address->is_loopback() || address->is_multicast())
            return fmt::format("'{}' cannot be a node's address", text);
        v6 += address->is_v6() ? 1 : 0;
        addresses.push_back(*address);
    }
    if (!one_per_family(v6, addresses.size()))
        return "takes at most one address of each family";
    target = std::move(addresses);
    return "";
}

std::string read_port_range(PortRange& target, const Values& values) {
    if (auto wrong = not_one(values); !wrong.empty())
        return wrong;
    const auto dash = values[0].find('-');
    const auto first = base::parse_number<long>(std::string_view(values[0]).substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : base::parse_number<long>(std::string_view(values[0]).substr(dash + 1));
    if (!first || !last || *first < 1 || *last > 65535 || *first > *last)
        return fmt::format("'{}' is not a range of ports FIRST-LAST within 1-65535", values[0]);
    target = {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
    return "";
}

std::string read_listen(std::vector<Listen>& target, const Values& values) {
    if (values.empty() || (values.size() == 1 && values[0].empty())) {
        target.clear();
        return "";
    }
    if (auto wrong = not_one(values); !wrong.empty())
        return wrong;
    const auto colon = values[0].rfind(':');
    if (colon == std::string::npos)
        return fmt::format("'{}' is not ADDRESS:PORT", values[0]);
    std::string host = values[0].substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    const auto percent = std::min(host.find('%'), host.size());
    const auto address = base::parse_address(std::string_view(host).substr(0, percent));
    const auto port = base::parse_number<long>(std::string_view(values[0]).substr(colon + 1));
    const bool on_node_ip = host == on_node_ip_word;
    if ((!address && !on_node_ip) || !port || *port < 1 || *port > 65535)
        return fmt::format("'{}' is not ADDRESS:PORT with a port of 1..65535", values[0]);
    if (on_node_ip)
        target = {{Address(), static_cast<std::uint16_t>(*port), "", true}};
    else
        target = {{*address, static_cast<std::uint16_t>(*port), host.substr(percent)}};
    return "";
}

std::string read_detect_local_mode(DetectLocalMode& target, const Values& values) {
    const auto found = values.size() == 1 ? std::find(detect_local_modes.begin(), detect_local_modes.end(), values[0])
                                          : detect_local_modes.end();
    if (found == detect_local_modes.end())
        return "must be ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix";
    target = static_cast<DetectLocalMode>(found - detect_local_modes.begin());
    return "";
}

std::string read_check_mode(CheckMode& target, const Values& values) {
    const auto found =
        values.size() == 1 ? std::find(check_modes.begin(), check_modes.end(), values[0]) : check_modes.end();
    if (found == check_modes.end())
        return "must be off, observe or enforce";
    target = static_cast<CheckMode>(found - check_modes.begin());
    return "";
}

std::string read_service_name(std::string& target, const Values& values) {
    if (values.size() != 1 || !std::regex_match(values[0], std::regex("([a-z0-9-]{1,63}/[a-z0-9-]{1,63})?")))
        return "must be NAMESPACE/NAME of a Service, or empty";
    target = values[0];
    return "";
}

/// Allows what the kernel does (dev_valid_name), but no quotes, stars and backslashes, which rules of nftables would
/// not have as they are.
std::string read_interface(std::string& target, const Values& values) {
    constexpr std::size_t longest = 15;  // IFNAMSIZ without its zero
    if (auto wrong = not_one(values); !wrong.empty())
        return wrong;
    const std::string& name = values[0];
    const bool allowed = std::all_of(name.begin(), name.end(), [](char c) {
        return c > ' ' && c <= '~' && std::string_view("/:\"*\\").find(c) == std::string_view::npos;
    });
    if (name.size() > longest || !allowed || name == "." || name == "..")
        return fmt::format("'{}' is no name of a network interface (at most {} letters, digits, '-', '_', '.')", name,
                           longest);
    target = name;
    return "";
}

std::string read_log_format(log::Format& target, const Values& values) {
    if (values.size() != 1 || (values[0] != "text" && values[0] != "json"))
        return "must be text or json";
    target = values[0] == "text" ? log::Format::text : log::Format::json;
    return "";
}

std::string read_log_level(log::Level& target, const Values& values) {
    static constexpr std::array names = {"debug", "info", "warning", "error"};
    const auto found = values.size() == 1 ? std::find(names.begin(), names.end(), values[0]) : names.end();
    if (found == names.end())
        return "must be debug, info, warning or error";
    target = static_cast<log::Level>(found - names.begin());
    return "";
}

std::string read_ranged(int& target, const Values& values, long low, long high) {
    const auto value = values.size() == 1 ? base::parse_number<long>(values[0]) : std::nullopt;
    if (!value || *value < low || *value > high)
        return fmt::format("must be a whole number of {}..{}", low, high);
    target = static_cast<int>(*value);
    return "";
}

std::string read_ranged(std::chrono::milliseconds& target, const Values& values, long low, long high) {
    const auto value = values.size() == 1 ? milliseconds(values[0]) : std::nullopt;
    if (!value || *value < low || *value > high)
        return fmt::format("must be a duration with its units (ms, s, m, h), such as 90s or 1m30s, of {}..{}",
                           duration_text(low), duration_text(high));
    target = std::chrono::milliseconds(*value);
    return "";
}

std::string print_fwmark(const netlink::Fwmark& value) {
    return "\"" + base::hexadecimal(value.value) + "/" + base::hexadecimal(value.mask) + "\"";
}

std::string print_text(const std::string& value) {
    return "\"" + value + "\"";
}

std::string print_servers(const std::vector<std::string>& value) {
    return quoted_list(value);
}

std::string print_detect_local_mode(const DetectLocalMode& value) {
    return detect_local_modes[static_cast<std::size_t>(value)];
}

std::string_view word(CheckMode mode) {
    return check_modes[static_cast<std::size_t>(mode)];
}

std::string print_check_mode(const CheckMode& value) {
    return std::string(word(value));
}

std::string print_flag(const bool& value) {
    return value ? "true" : "false";
}

std::string print_prefixes(const std::vector<base::Prefix>& value) {
    std::vector<std::string> texts;
    for (const base::Prefix& prefix : value)
        texts.push_back(to_string(prefix));
    return quoted_list(texts);
}

std::string print_external_ips(const ExternalIps& value) {
    if (value.all || value.networks.empty())
        return value.all ? "all" : "none";
    return print_prefixes(value.networks);
}

std::string print_addresses(const std::vector<Address>& value) {
    std::vector<std::string> texts;
    for (const Address& address : value)
        texts.push_back(address.to_string());
    return quoted_list(texts);
}

std::string print_port_range(const PortRange& value) {
    return fmt::format("\"{}-{}\"", value.first, value.last);
}

std::string print_listen(const std::vector<Listen>& value) {
    if (value.empty())
        return "\"\"";
    if (value[0].on_node_ip)
        return fmt::format("\"{}:{}\"", on_node_ip_word, value[0].port);
    const std::string host = value[0].address.to_string() + value[0].zone;
    return value[0].address.is_v6() ? fmt::format("\"[{}]:{}\"", host, value[0].port)
                                    : fmt::format("\"{}:{}\"", host, value[0].port);
}

std::string print_log_format(const log::Format& value) {
    return value == log::Format::text ? "text" : "json";
}

std::string print_log_level(const log::Level& value) {
    static constexpr std::array names = {"debug", "info", "warning", "error"};
    return names[static_cast<std::size_t>(value)];
}

std::string print_ranged(const int& value) {
    return std::to_string(value);
}

std::string print_ranged(const std::chrono::milliseconds& value) {
    return duration_text(value.count());
}

}  // namespace proxy
