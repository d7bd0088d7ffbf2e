// Whatever stands in a KubeProxyConfiguration: an error of lines, or settings that podferry can write and read back.
#include <cstdio>
#include <cstdlib>

#include "proxy/config/config.hpp"
#include "proxy/config/kube_proxy_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto read = proxy::read_kube_proxy_config({reinterpret_cast<const char*>(data), size}, "kube-proxy.yaml",
                                                    proxy::default_config());
    if (!read) {
        if (read.error().empty()) {
            std::fputs("a mistake without a word\n", stderr);
            std::abort();
        }
        return 0;
    }
    proxy::to_yaml(read->config);
    return 0;
}
