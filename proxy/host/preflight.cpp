#include "proxy/host/preflight.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "netlink/capabilities.hpp"
#include "netlink/sysctl.hpp"
#include "proxy/host/host.hpp"
#include "proxy/host/service_devices.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

Findings check_host(const Config& config) {
    const HostAddresses host = read_host_addresses();
    const auto& addresses = host.own;
    RangeFindings ranges = check_ranges(config, networks_of(addresses, netlink::host_routes()));
    Findings findings{std::move(ranges.errors), std::move(ranges.warnings)};
    for (std::string& told : told_at_start(host.devices))
        findings.warnings.push_back(std::move(told));
    for (const Address& ip : config.node_ip)
        if (std::none_of(addresses.begin(), addresses.end(),
                         [&](const netlink::HostAddress& host) { return host.address == ip; }))
            findings.errors.push_back("node_ip " + ip.to_string() +
                                      " is no address of this host: set it to one of them, or leave it out");
    return findings;
}

Findings check_kernel(const Config& config) {
    Findings findings{netlink::missing_capabilities(config.ipvs_conn_tab_bits), {}};
    const bool has_v6 = std::any_of(config.service_cluster_ip_range.begin(), config.service_cluster_ip_range.end(),
                                    [](const base::Prefix& range) { return range.address.is_v6(); });
    const std::string forwarding = netlink::read_sysctl("net.ipv6.conf.all.forwarding");
    if (has_v6 && forwarding.empty())
        findings.warnings.emplace_back(
            "service_cluster_ip_range has an IPv6 range, and this kernel runs without IPv6 (ipv6.disable=1): Services "
            "are "
            "served at their IPv4 addresses only");
    else if (has_v6 && forwarding != "1")
        findings.warnings.emplace_back(
            "sysctl net.ipv6.conf.all.forwarding is off: IPv6 Services reach only pods on this node's own links; set "
            "it "
            "(podferry does not, because it makes a host ignore router advertisements)");
    return findings;
}

bool passes(const Findings& findings) {
    for (const std::string& warning : findings.warnings)
        log::warning(warning);
    for (const std::string& error : findings.errors)
        log::error(error);
    return findings.errors.empty();
}

tl::expected<InstanceLock, std::string> InstanceLock::acquire(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const std::string path = folder + "/lock";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return tl::unexpected(path + ": " + std::strerror(errno) +
                              "; state_dir must be a folder that podferry can write to");
    ::fchmod(file, 0660);  // not only for its owner: see give_folder()
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        ::close(file);
        return tl::unexpected("another podferry runs on this node (it holds " + path +
                              "); stop it first, or give this one another network namespace and state_dir");
    }
    return InstanceLock(file);
}

InstanceLock::InstanceLock(InstanceLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

InstanceLock::~InstanceLock() {
    if (file_ >= 0)
        ::close(file_);
}

}  // namespace proxy
