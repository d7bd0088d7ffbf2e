#include "proxy/host/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <sstream>

#include "proxy/host/port_set.hpp"

namespace proxy {
namespace {

using netlink::Sysctl;
using std::chrono::milliseconds;

constexpr std::uint64_t longest_list = 4;     // connections in one list of IPVS's table, on average
constexpr std::size_t longest_sysctl = 4000;  // the kernel reads less than a page in one piece
constexpr int most_tab_bits = 20;             // ip_vs_conn.c, up to Linux 6.6
constexpr KernelVersion reuse_added{4, 1};    // conn_reuse_mode
constexpr KernelVersion reuse_corrected{5,
                                        9};  // f0a5e4d7a594, "ipvs: allow connection reuse for unconfirmed conntrack"

/// Whole seconds; what is shorter than one is one, because 0 means "leave it".
long seconds(milliseconds time) {
    return static_cast<long>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

void add_data_path(std::vector<Sysctl>& sysctls) {
    sysctls.insert(
        sysctls.end(),
        {{"net.ipv4.vs.conntrack", "1", "without which connections through IPVS are not masqueraded"},
         {"net.ipv4.vs.expire_nodest_conn", "1", "without which connections to a pod that is gone hang"},
         {"net.ipv4.vs.expire_quiescent_template", "1", "without which affinity sticks to a pod that gets nothing"},
         {"net.ipv4.ip_forward", "1", "without which this node does not pass packets on to pods"}});
}

/// Kernels before 5.9 drop, with mode 1, the first packet of a connection that uses a port again, which costs a second;
/// later ones do not, and there it stays as it is.
void add_reuse(const KernelVersion& kernel, HostSettings& wanted) {
    if (kernel < reuse_added)
        wanted.problems.push_back(fmt::format(
            "Linux {}.{} delays connections that use a client's port again by a second; use Linux 5.10 or later",
            kernel.major, kernel.minor));
    else if (kernel < reuse_corrected)
        wanted.sysctls.push_back(
            {"net.ipv4.vs.conn_reuse_mode", "0", "without which a client's port that is used again waits a second"});
}

/// Never lowered: whoever has set more has had a reason.
void add_sizes(const Config& config, int cpus, std::vector<Sysctl>& sysctls) {
    const int entries = conntrack_entries(config, cpus);
    if (entries == 0)
        return;
    constexpr auto at_least = Sysctl::Fit::at_least;
    sysctls.push_back({"net.netfilter.nf_conntrack_max", std::to_string(entries),
                       "beyond which new connections are dropped (settings conntrack_max_per_core, conntrack_min)",
                       at_least});
    sysctls.push_back({"net.netfilter.nf_conntrack_buckets", std::to_string(entries / 4),
                       "so that each packet's search is short (settings conntrack_max_per_core, conntrack_min)",
                       at_least});
}

void add_timeouts(const Config& config, std::vector<Sysctl>& sysctls) {
    const auto add = [&](const char* name, milliseconds time, const char* setting) {
        if (time.count() > 0)
            sysctls.push_back({std::string("net.netfilter.nf_conntrack_") + name, std::to_string(seconds(time)),
                               std::string("as setting ") + setting + " says"});
    };
    add("tcp_timeout_established", config.conntrack_tcp_timeout_established, "conntrack_tcp_timeout_established");
    add("tcp_timeout_close_wait", config.conntrack_tcp_timeout_close_wait, "conntrack_tcp_timeout_close_wait");
    add("udp_timeout", config.conntrack_udp_timeout, "conntrack_udp_timeout");
    add("udp_timeout_stream", config.conntrack_udp_timeout_stream, "conntrack_udp_timeout_stream");
    if (config.conntrack_tcp_be_liberal)
        sysctls.push_back(
            {"net.netfilter.nf_conntrack_tcp_be_liberal", "1", "as setting conntrack_tcp_be_liberal says"});
}

/// Else a connection of this host may be given a node port as its own, and cannot be told from one to the Service.
void add_reservation(const Config& config, const HostFacts& host, HostSettings& wanted) {
    if (!config.reserve_node_ports)
        return;
    const auto present = parse_ports(host.reserved_ports);
    if (!present) {
        wanted.problems.push_back(
            fmt::format("sysctl {} is '{}', which podferry does not understand; node ports are "
                        "not reserved (setting reserve_node_ports)",
                        reserved_ports_sysctl, host.reserved_ports));
        return;
    }
    PortSet ports = *present;
    for (int port = config.service_node_port_range.first; port <= config.service_node_port_range.last; ++port)
        ports.set(static_cast<std::size_t>(port));
    if (ports == *present)
        return;
    std::string text = to_string(ports);
    if (text.size() > longest_sysctl)
        wanted.problems.push_back(
            fmt::format("sysctl {} is too long a list for node ports to be added to it; join its "
                        "ranges, or set reserve_node_ports: false",
                        reserved_ports_sysctl));
    else
        wanted.sysctls.push_back({reserved_ports_sysctl, std::move(text),
                                  "without which this host may use a node port for a connection of its own (setting "
                                  "reserve_node_ports)"});
}

}  // namespace

std::optional<KernelVersion> parse_kernel_version(std::string_view release) {
    KernelVersion version;
    const char* end = release.data() + release.size();
    const char* const begin = release.data();
    const auto [dot, wrong_major] = std::from_chars(begin, end, version.major);
    if (wrong_major != std::errc{} || dot == end || *dot != '.')
        return std::nullopt;
    const auto [rest, wrong_minor] = std::from_chars(dot + 1, end, version.minor);
    return wrong_minor == std::errc{} ? std::optional(version) : std::nullopt;
}

int conntrack_entries(const Config& config, int cpus) {
    constexpr long long most = 1 << 30;
    if (config.conntrack_max_per_core == 0)
        return 0;
    const long long scaled = static_cast<long long>(config.conntrack_max_per_core) * std::max(cpus, 1);
    return static_cast<int>(std::min(most, std::max<long long>(scaled, config.conntrack_min)));
}

HostSettings wanted_host_settings(const Config& config, const HostFacts& host) {
    HostSettings wanted;
    add_data_path(wanted.sysctls);
    add_reuse(host.kernel, wanted);
    add_sizes(config, host.cpus, wanted.sysctls);
    add_timeouts(config, wanted.sysctls);
    add_reservation(config, host, wanted);
    const auto of = [](milliseconds time) { return static_cast<std::uint32_t>(seconds(time)); };
    wanted.timeouts = {of(config.ipvs_tcp_timeout), of(config.ipvs_tcpfin_timeout), of(config.ipvs_udp_timeout)};
    return wanted;
}

Reservation reserved(const std::optional<Reservation>& before, const std::string& boot, const std::string& present,
                     const std::string& written) {
    const auto ports = [](const std::string& text) { return parse_ports(text).value_or(PortSet()); };
    PortSet ours = ports(written) & ~ports(present);
    if (before && before->boot == boot && before->left == present)
        ours |= ports(before->ports);
    return {boot, to_string(ours), written};
}

std::optional<std::string> released(const Reservation& ours, const std::string& boot, const std::string& present) {
    const auto all = parse_ports(present);
    const auto added = parse_ports(ours.ports);
    if (ours.boot != boot || ours.left != present || !all || !added)
        return std::nullopt;
    return to_string(*all & ~*added);
}

std::string to_text(const Reservation& reservation) {
    return reservation.boot + "\n" + reservation.ports + "\n" + reservation.left + "\n";
}

std::optional<Reservation> parse_reservation(const std::string& text) {
    std::istringstream lines(text);
    Reservation found;
    if (!std::getline(lines, found.boot) || !std::getline(lines, found.ports) || !std::getline(lines, found.left))
        return std::nullopt;
    return found;
}

std::optional<std::string> ReadOnlyNews::news_of(const std::vector<std::string>& names) {
    const std::size_t before = told_.size();
    told_.insert(names.begin(), names.end());
    if (told_.size() == before)
        return std::nullopt;
    return fmt::format(
        "/proc/sys is read-only: podferry cannot set {}, and goes on with the values that are there. 'podferry status' "
        "says what each is for, and the command that sets it; or run 'podferry node --init-only' where it is writable",
        fmt::join(names, ", "));
}

std::optional<std::string> table_too_small(std::uint64_t connections, std::uint32_t table_size, bool grows) {
    const std::uint64_t entries = grows ? 2 * connections : connections;
    if (table_size == 0 || entries <= longest_list * table_size)
        return std::nullopt;
    const int bits = std::min(most_tab_bits, static_cast<int>(std::bit_width(entries - 1)));
    if ((std::uint64_t{1} << bits) <= table_size)
        return std::nullopt;  // it cannot be larger
    return fmt::format(
        "IPVS's connection table is too small: more than {} connections in {} lists, which each packet searches; write "
        "'options ip_vs conn_tab_bits={}' into /etc/modprobe.d/ip_vs.conf and boot this node anew (the {}size is "
        "chosen "
        "when module ip_vs is loaded){}",
        longest_list * table_size / (grows ? 2 : 1), table_size, bits, grows ? "largest " : "",
        grows ? ", or give sysctl net.ipv4.vs.conn_lfactor its default -4 where it is larger" : "");
}

}  // namespace proxy
