// Durations and moments, as files and servers write them.
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "base/go_duration.hpp"
#include "base/rfc3339.hpp"
#include "proxy/config/setting_values.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace std::chrono;
    const std::string text(reinterpret_cast<const char*>(data), size);
    base::parse_go_duration(text);
    milliseconds setting{0};
    const std::string problem = proxy::read_ranged(setting, {text}, 1, 3'600'000);
    bool good = !problem.empty() || (setting >= 1ms && setting <= 1h);
    if (const auto moment = base::parse_rfc3339(text)) {
        const auto whole = floor<seconds>(*moment);
        const bool within = *moment != system_clock::time_point::min() && *moment != system_clock::time_point::max();
        good = good && (!within || base::parse_rfc3339(base::to_rfc3339(whole)) == system_clock::time_point(whole));
    }
    if (!good) {
        std::fputs("a time that is none\n", stderr);
        std::abort();
    }
    return 0;
}
