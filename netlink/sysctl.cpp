#include "netlink/sysctl.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/numbers.hpp"

namespace netlink {
namespace {

std::string path_of(const std::string& folder, std::string name) {
    std::replace(name.begin(), name.end(), '.', '/');
    return folder + "/" + name;
}

/// Writes in one system call: some settings read the second one as another value. Returns errno, or 0.
int write_whole(const std::string& path, const std::string& text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    const ssize_t written = ::write(file, text.data(), text.size());
    const int error = written < 0 ? errno : 0;
    ::close(file);
    return error;
}

std::string remedy(int error, const Sysctl& wanted, const std::string& path) {
    const std::string by_hand = "'sysctl -w " + wanted.name + "=\"" + wanted.value + "\"' on the host";
    switch (error) {
        case ENOENT:
            return "there is no " + path + ": this kernel is built without it, or its module is not loaded";
        case EROFS:
            return "/proc/sys is read-only here: " + by_hand + ", or 'podferry node --init-only' where it is writable";
        case EACCES:
        case EPERM:
            return "only the host's first network namespace may: " + by_hand;
        case 0:
            return "the kernel refuses the value: " + by_hand + " shows what it says";
        default:
            return std::strerror(error) + (": " + by_hand) + " shows what it says";
    }
}

}  // namespace

bool is_met(const Sysctl& wanted, std::string_view present) {
    if (wanted.fit == Sysctl::Fit::exactly)
        return present == wanted.value;
    const auto is = base::parse_number<long long>(present);
    const auto least = base::parse_number<long long>(wanted.value);
    return is && least && *is >= *least;
}

std::string read_sysctl(const std::string& name, const std::string& folder) {
    std::ifstream file(path_of(folder, name));
    std::string value;
    std::getline(file, value);
    return value;
}

SysctlResult set_sysctl(const Sysctl& wanted, const std::string& folder) {
    using enum SysctlResult::Outcome;
    const std::string present = read_sysctl(wanted.name, folder);
    if (is_met(wanted, present))
        return {met, ""};
    const int error = write_whole(path_of(folder, wanted.name), wanted.value + "\n");
    if (error == 0 && is_met(wanted, read_sysctl(wanted.name, folder)))
        return {written, ""};
    const bool most = wanted.fit == Sysctl::Fit::at_least;
    return {error == EROFS ? read_only : refused,
            "sysctl " + wanted.name + " is '" + present + "' and cannot be set to " + (most ? "at least " : "") +
                wanted.value + ", " + wanted.why + ": " + remedy(error, wanted, path_of(folder, wanted.name))};
}

}  // namespace netlink
