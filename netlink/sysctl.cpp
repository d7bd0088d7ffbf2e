#include "netlink/sysctl.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace netlink {
namespace {

std::string path_of(std::string name) {
    std::replace(name.begin(), name.end(), '.', '/');
    return "/proc/sys/" + name;
}

}  // namespace

const std::vector<Sysctl>& required_sysctls() {
    static const std::vector<Sysctl> all = {
        {"net.ipv4.vs.conntrack", "1"},
        {"net.ipv4.vs.expire_nodest_conn", "1"},
        {"net.ipv4.vs.expire_quiescent_template", "1"},
        {"net.ipv4.ip_forward", "1"},
    };
    return all;
}

std::string read_sysctl(const std::string& name) {
    std::ifstream file(path_of(name));
    std::string value;
    std::getline(file, value);
    return value;
}

bool set_sysctl(const Sysctl& wanted) {
    if (read_sysctl(wanted.name) == wanted.value)
        return false;
    std::ofstream file(path_of(wanted.name));
    file << wanted.value << "\n";
    file.flush();
    if (!file || read_sysctl(wanted.name) != wanted.value)
        throw std::runtime_error("sysctl " + wanted.name + " cannot be set to " + wanted.value +
                                 ": is /proc/sys writable here, and the kernel's IPVS built with connection tracking?");
    return true;
}

}  // namespace netlink
