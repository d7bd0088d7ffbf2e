// Whatever stands in the configuration file: an error, or a configuration that to_yaml() writes and reads back.
#include <cstdio>
#include <cstdlib>

#include "proxy/config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = proxy::parse_config({reinterpret_cast<const char*>(data), size}, "config.yaml");
    if (!config)
        return 0;
    const auto again = proxy::parse_config(proxy::to_yaml(*config), "config.yaml");
    if (!again || *again != *config) {
        std::fprintf(stderr, "not read back: %s\n", again ? "another value" : again.error().c_str());
        std::abort();
    }
    return 0;
}
