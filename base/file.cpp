#include "base/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace base {

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
