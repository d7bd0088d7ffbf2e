#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace base {
namespace {

/// How much more to ask for: of a file what it has, of what has no size (pipes, /proc) a page, and then ever more.
std::size_t next_piece(int file, std::size_t have) {
    struct stat info{};
    if (have == 0 && ::fstat(file, &info) == 0 && info.st_size > 0)
        return static_cast<std::size_t>(info.st_size) + 1;  // the end shows at once
    return std::max<std::size_t>(4096, have);
}

}  // namespace

tl::expected<std::string, std::error_code> read_file(const std::string& path, std::size_t most) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return tl::unexpected(std::error_code(errno, std::generic_category()));
    std::string text;
    std::size_t have = 0;
    for (;;) {
        if (have == text.size())
            text.resize(std::min(have + next_piece(file, have), most + 1));
        const ssize_t count = ::read(file, text.data() + have, text.size() - have);
        if (count < 0 && errno == EINTR)
            continue;
        const int error = count < 0 ? errno : 0;
        have += count > 0 ? static_cast<std::size_t>(count) : 0;
        if (count > 0 && have <= most)
            continue;
        ::close(file);
        if (error != 0 || have > most)
            return tl::unexpected(std::error_code(error != 0 ? error : EFBIG, std::generic_category()));
        text.resize(have);
        return text;
    }
}

std::string write_atomically(const std::string& path, const std::string& text) {
    const std::string fresh = path + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return std::strerror(errno);
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t count = ::write(file, text.data() + written, text.size() - written);
        if (count <= 0)
            break;
        written += static_cast<std::size_t>(count);
    }
    const bool whole = written == text.size() && ::fsync(file) == 0;
    std::string reason = whole ? "" : std::strerror(errno);
    ::close(file);
    if (!whole)
        return reason;
    return std::rename(fresh.c_str(), path.c_str()) == 0 ? "" : std::strerror(errno);
}

}  // namespace base
