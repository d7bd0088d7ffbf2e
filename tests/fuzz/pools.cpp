// Whatever stands in the controller's file: an error of whole lines, or pools that do not overlap and can be counted.
#include <cstdio>
#include <cstdlib>

#include "proxy/controller/pool_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = proxy::read_pool_config({reinterpret_cast<const char*>(data), size}, "controller.yaml");
    bool good = config || config.error().ends_with('\n');
    if (config)
        for (const proxy::AddressPool& pool : config->pools)
            for (const proxy::AddressRange& range : pool.ranges)
                good = good && range.first <= range.last && config->pool_of(range.last) == &pool &&
                       proxy::count_of(range, pool.avoid_buggy_ips) <= std::uint64_t{1} << 32U;
    if (!good) {
        std::fputs("neither an error nor pools\n", stderr);
        std::abort();
    }
    return 0;
}
