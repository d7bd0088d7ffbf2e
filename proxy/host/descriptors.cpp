#include "proxy/host/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace proxy {
namespace {

constexpr std::size_t most_kept_back = 256;

}  // namespace

std::size_t descriptor_limit() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    return descriptor_limit();
}

bool leaves_reserve(int descriptor, std::size_t limit) {
    const std::size_t kept_back = std::min(most_kept_back, limit / 2);
    return descriptor >= 0 && static_cast<std::size_t>(descriptor) + kept_back < limit;
}

}  // namespace proxy
