#include "proxy/host/host_settings.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>

#include "base/error_words.hpp"
#include "base/file.hpp"
#include "netlink/sysctl.hpp"
#include "proxy/host/limits.hpp"

namespace proxy {
namespace {

std::string boot_id() {
    return netlink::read_sysctl("kernel.random.boot_id");
}

std::string record_of(const Config& config) {
    return config.state_dir + "/reserved_ports";
}

std::optional<Reservation> read_record(const Config& config) {
    return parse_reservation(base::read_file(record_of(config)).value_or(""));
}

HostFacts host_facts(const std::string& folder) {
    HostFacts facts;
    utsname name{};
    if (::uname(&name) == 0)
        facts.kernel = parse_kernel_version(name.release).value_or(KernelVersion());
    // The machine's, and not this process's: it may be pinned to some.
    facts.cpus = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    facts.reserved_ports = netlink::read_sysctl(reserved_ports_sysctl, folder);
    return facts;
}

/// It comes after the reservation, so that a crash in between leaves ports reserved, and never makes others' ports
/// ours.
void remember(const Config& config, const std::string& present, const std::string& written, HostSettingsPut& result) {
    std::error_code ignored;  // shows itself when the file is written
    std::filesystem::create_directories(config.state_dir, ignored);
    const Reservation record = reserved(read_record(config), boot_id(), present, written);
    if (const std::string reason = base::write_atomically(record_of(config), to_text(record)); !reason.empty())
        result.problems.push_back(fmt::format("{}: {}; 'podferry cleanup' will leave node ports reserved in {}",
                                              record_of(config), reason, reserved_ports_sysctl));
}

/// True when it was written.
bool put(const netlink::Sysctl& wanted, const std::string& folder, HostSettingsPut& result) {
    using enum netlink::SysctlResult::Outcome;
    netlink::SysctlResult came = netlink::set_sysctl(wanted, folder);
    if (came.outcome == written)
        result.done.push_back(fmt::format("sysctl {}={}", wanted.name, wanted.value));
    if (came.outcome == read_only)
        result.read_only.push_back(wanted.name);
    if (!came.problem.empty())
        result.problems.push_back(std::move(came.problem));
    return came.outcome == written;
}

}  // namespace

HostSettingsPut put_host_settings(const Config& config, netlink::LinuxKernel& kernel, const std::string& folder) {
    const HostFacts facts = host_facts(folder);
    HostSettings wanted = wanted_host_settings(config, facts);
    HostSettingsPut result{{}, std::move(wanted.problems), {}};
    for (const netlink::Sysctl& sysctl : wanted.sysctls)
        if (put(sysctl, folder, result) && sysctl.name == reserved_ports_sysctl)
            remember(config, facts.reserved_ports, sysctl.value, result);
    try {
        if (kernel.set_timeouts(wanted.timeouts)) {
            const auto now = kernel.timeouts();
            result.done.push_back(
                fmt::format("ipvs_timeouts tcp={}s tcpfin={}s udp={}s", now.tcp, now.tcp_fin, now.udp));
        }
    } catch (const std::system_error& error) {
        result.problems.push_back(fmt::format(
            "{}: the kernel refuses them (settings ipvs_tcp_timeout, ipvs_tcpfin_timeout, ipvs_udp_timeout)",
            base::words_of(error)));
    }
    return result;
}

std::string release_node_ports(const Config& config, const std::string& folder) {
    const auto record = read_record(config);
    const std::string path = record_of(config);
    std::error_code ignored;
    if (!record || record->boot != boot_id()) {
        std::filesystem::remove(path, ignored);
        return "";
    }
    const std::string present = netlink::read_sysctl(reserved_ports_sysctl, folder);
    const auto left = released(*record, boot_id(), present);
    if (!left)
        return fmt::format(
            "{} is '{}' and stays so: somebody has written it since podferry added {}, and may have meant these too",
            reserved_ports_sysctl, present, record->ports);
    const auto came = netlink::set_sysctl({reserved_ports_sysctl, *left, "to remove what podferry reserved"}, folder);
    if (!came.problem.empty())
        return came.problem;
    std::filesystem::remove(path, ignored);
    return fmt::format("removed {} from {}", record->ports, reserved_ports_sysctl);
}

}  // namespace proxy
