#include "proxy/host/privileges.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>

#include "base/numbers.hpp"

namespace proxy {
namespace {

/// Throws with errno when the call has failed.
void must(long result, const std::string& what) {
    if (result < 0)
        throw std::system_error(errno, std::system_category(), what);
}

std::optional<std::uint32_t> number(std::string_view text) {
    const auto value = base::parse_number<std::uint32_t>(text);
    return value != std::numeric_limits<std::uint32_t>::max() ? value : std::nullopt;
}

/// Through a name in /proc: so that what may not be read can be given too, and no link is followed. What is so already
/// needs no right. Returns errno.
int give_open(int file, const User& user, mode_t mode) {
    const std::string name = "/proc/self/fd/" + std::to_string(file);
    struct stat now{};
    if (::fstat(file, &now) != 0)
        return errno;
    const bool ours = now.st_uid == ::geteuid();
    if (ours && (now.st_mode & mode) != mode && ::chmod(name.c_str(), (now.st_mode & 07777) | mode) != 0)
        return errno;
    if (now.st_uid != user.user && ::chown(name.c_str(), user.user, static_cast<gid_t>(-1)) != 0)
        return errno;
    return 0;
}

void give(const std::string& path, const User& user, mode_t mode) {
    const int file = ::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    must(file, path);
    const int error = give_open(file, user, mode);
    ::close(file);
    if (error != 0)
        throw std::system_error(error, std::system_category(), path);
}

}  // namespace

tl::expected<User, std::string> parse_user(std::string_view text) {
    const auto colon = text.find(':');
    const auto user = number(text.substr(0, colon));
    const auto group = colon == std::string_view::npos ? user : number(text.substr(colon + 1));
    if (!user || !group || *user == 0)
        return tl::unexpected(std::string(
            "must be the number of a user other than root, with that of a group behind a colon if it differs: "
            "65532 or 65532:65532"));
    return User{*user, *group};
}

void give_folder(const std::string& folder, const User& user) {
    std::filesystem::create_directories(folder);
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.is_regular_file() && !entry.is_symlink())
            give(entry.path(), user, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
    give(folder, user, S_IRWXU | S_IRWXG | S_ISGID);
}

FilesAs::FilesAs(const User& user) {
    must(::seteuid(user.user), "--user " + std::to_string(user.user));
}

FilesAs::~FilesAs() {
    if (::seteuid(0) != 0)
        std::abort();  // it was root a moment ago
}

void become(const User& user) {
    const std::string what = "--user " + std::to_string(user.user) + " needs CAP_CHOWN, CAP_SETGID and CAP_SETUID";
    must(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), what);
    must(::setgroups(0, nullptr), what);
    must(::setresgid(user.group, user.group, user.group), what);
    must(::setresuid(user.user, user.user, user.user), what);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    data[0].permitted = data[0].effective = 1U << CAP_NET_ADMIN;
    must(::syscall(SYS_capset, &header, data), what);
    must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), what);
}

}  // namespace proxy
