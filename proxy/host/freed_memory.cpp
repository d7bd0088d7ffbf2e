#include "proxy/host/freed_memory.hpp"

#include <malloc.h>

#include <limits>

namespace proxy {

void keep_freed_memory(bool keep) {
    constexpr int default_threshold = 128 * 1024;
    constexpr int most_that_malloc_takes = 32 * 1024 * 1024;
    ::mallopt(M_MMAP_THRESHOLD, keep ? most_that_malloc_takes : default_threshold);
    ::mallopt(M_TRIM_THRESHOLD, keep ? std::numeric_limits<int>::max() : default_threshold);
    if (!keep)
        ::malloc_trim(0);
}

}  // namespace proxy
