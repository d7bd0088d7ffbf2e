// Whatever stands in a kubeconfig: an error of whole lines, or servers that can be asked.
#include <cstdio>
#include <cstdlib>

#include "api/cluster/kubeconfig.hpp"
#include "api/cluster/server_url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto access = api::parse_kubeconfig({reinterpret_cast<const char*>(data), size}, "/etc/kubeconfig");
    bool good = access ? !access->servers.empty() : access.error().ends_with('\n');
    if (access)
        for (const std::string& server : access->servers)
            good = good && api::parse_server_url(server).has_value();
    if (!good) {
        std::fputs("neither an error nor an access\n", stderr);
        std::abort();
    }
    return 0;
}
