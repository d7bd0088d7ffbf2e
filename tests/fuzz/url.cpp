// Whatever is given as an API server's address: refused, or written and read back as the same. And wherever a probe is
// redirected to.
#include <cstdio>
#include <cstdlib>

#include "api/cluster/server_url.hpp"
#include "health/checks/http_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (const auto url = api::parse_server_url(text)) {
        const auto again = api::parse_server_url(api::to_string(*url));
        if (!again || *again != *url || url->host.empty() || api::authority(*url).find('%') != std::string::npos) {
            std::fprintf(stderr, "not read back: %s\n", api::to_string(*url).c_str());
            std::abort();
        }
    }
    const health::HttpUrl from{false, "10.0.0.1", "80", "/healthz"};
    if (const auto next = health::resolve_location(from, text))
        health::to_string(*next);
    return 0;
}
