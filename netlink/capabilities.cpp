#include "netlink/capabilities.hpp"

#include <linux/capability.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "netlink/linux_kernel.hpp"
#include "netlink/nfnetlink.hpp"
#include "netlink/sysctl.hpp"

namespace netlink {
namespace {

bool may_administer_network() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, data) != 0)
        return false;
    return (data[0].effective & (1U << CAP_NET_ADMIN)) != 0;
}

/// Asking for the family makes the kernel load the module with its own defaults, so that ours come first.
bool has_ipvs(int conn_tab_bits) {
    if (!module_is_loaded("ip_vs"))
        ModuleLoader().load(ipvs_module(conn_tab_bits));
    Socket socket(NETLINK_GENERIC);
    return ipvs_family(socket) != 0;
}

/// Asks for the generation of nf_tables, which loads the module.
bool has_nftables() {
    const Message message = nfnetlink_message(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, AF_UNSPEC, 0);
    try {
        Socket socket(NETLINK_NETFILTER);
        socket.ask(message);
        return true;
    } catch (const std::system_error& error) {
        return error.code().value() == EPERM;
    }
}

std::string release() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "?";
}

}  // namespace

KernelModule ipvs_module(int conn_tab_bits) {
    return {"ip_vs", "conn_tab_bits=" + std::to_string(conn_tab_bits)};
}

std::vector<std::string> missing_capabilities(int conn_tab_bits) {
    if (!may_administer_network())
        return {
            "privilege CAP_NET_ADMIN is missing: run podferry as root, or give the service or container that "
            "capability"};
    return missing_modules(conn_tab_bits);
}

std::vector<std::string> missing_modules(int conn_tab_bits) {
    std::vector<std::string> missing;
    if (!has_ipvs(conn_tab_bits))
        missing.push_back(
            "kernel " + release() +
            " has no IPVS: load it with 'modprobe ip_vs' (on Debian it is in every linux-image package; in a "
            "container, load it on the host)");
    else if (read_sysctl("net.ipv4.vs.conntrack").empty())
        missing.push_back("kernel " + release() +
                          " has no sysctl net.ipv4.vs.conntrack: its IPVS is built without connection tracking "
                          "(CONFIG_IP_VS_NFCT), or /proc/sys is hidden here");
    if (!has_nftables())
        missing.push_back("kernel " + release() +
                          " has no nftables: load it with 'modprobe nf_tables' (in a container, load it on the host)");
    return missing;
}

}  // namespace netlink
