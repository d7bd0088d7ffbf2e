// Which settings of the host podferry wants, and why: sysctls, sizes of connection tracking, timeouts of IPVS. Pure.
// The rules are kube-proxy's (cmd/kube-proxy/app/conntrack.go, server_linux.go; pkg/proxy/ipvs/proxier.go) unless a
// comment says otherwise; docs/operations.md has them as a table.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "netlink/ipvs_config.hpp"
#include "netlink/sysctl.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

struct KernelVersion {
    int major = 0;
    int minor = 0;
    auto operator<=>(const KernelVersion&) const = default;
};

/// Reads "6.1.0-44-cloud-amd64"; nullopt when it does not begin with two numbers.
std::optional<KernelVersion> parse_kernel_version(std::string_view release);

/// What the rules look at.
struct HostFacts {
    KernelVersion kernel;
    int cpus = 1;
    std::string reserved_ports;  ///< net.ipv4.ip_local_reserved_ports
};

inline constexpr const char* reserved_ports_sysctl = "net.ipv4.ip_local_reserved_ports";

struct HostSettings {
    std::vector<netlink::Sysctl> sysctls;
    netlink::ipvs::Timeouts timeouts;
    std::vector<std::string> problems;  ///< in sentences
};

HostSettings wanted_host_settings(const Config& config, const HostFacts& host);

/// Entries that connection tracking shall have room for; 0: as many as it has.
int conntrack_entries(const Config& config, int cpus);

/// podferry's record of the ports that it has reserved, by which `podferry cleanup` knows them.
struct Reservation {
    std::string boot;   ///< /proc/sys/kernel/random/boot_id: sysctls do not survive a boot
    std::string ports;  ///< those that podferry has added
    std::string left;   ///< all that were reserved when it had done so
    bool operator==(const Reservation&) const = default;
};

/// The record after `present` has been made `written`. An older one counts when nobody has written since.
Reservation reserved(const std::optional<Reservation>& before, const std::string& boot, const std::string& present,
                     const std::string& written);

/// What shall be reserved once ours is not; nullopt when it cannot be known which ports are only ours: another boot, or
/// somebody has written since, and may have meant our ports too.
std::optional<std::string> released(const Reservation& ours, const std::string& boot, const std::string& present);

/// Three lines, and back; nullopt for any other text.
std::string to_text(const Reservation& reservation);
std::optional<Reservation> parse_reservation(const std::string& text);

/// Sysctls that podferry may not write because they are shown read-only, and that an Event of the Node is to tell of:
/// each of them once, however often it is asked.
class ReadOnlyNews {
public:
    static constexpr const char* reason = "readOnlySysFS";  ///< as kube-proxy's

    /// What the Event says that is due; nullopt: nothing new. `names`: those that could not be written just now.
    std::optional<std::string> news_of(const std::vector<std::string>& names);

private:
    std::set<std::string> told_;
};

/// A sentence with the remedy when there are so many connections that each packet has to search a long list
/// (net/netfilter/ipvs/ip_vs_conn.c, ip_vs_conn_in_get()); the same sentence until there are twice as many.
/// table_size 0: not known. `grows`: the kernel resizes it, up to the size that the module was given, and a connection
/// with NAT is in it twice (Documentation/networking/ipvs-sysctl.rst, conn_lfactor; Linux 7.1 and later).
std::optional<std::string> table_too_small(std::uint64_t connections, std::uint32_t table_size, bool grows);

}  // namespace proxy
