// What is said ever more seldom.
#include "proxy/log/rarely.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace std::chrono_literals;

TEST_CASE("something that happens each second is said at once, after a minute, two, four, and at last each hour") {
    proxy::Rarely rarely;
    const auto start = proxy::Rarely::Time() + 1h;
    std::vector<std::pair<long, std::size_t>> said;
    for (long second = 0; second < 20'000; ++second)
        if (const auto count = rarely.happened(start + std::chrono::seconds(second)))
            said.emplace_back(second, *count);
    const std::vector<std::pair<long, std::size_t>> expected = {
        {0, 1},       {60, 60},     {180, 120},    {420, 240},    {900, 480},   {1860, 960},
        {3780, 1920}, {7380, 3600}, {10980, 3600}, {14580, 3600}, {18180, 3600}};
    CHECK(said == expected);
    CHECK(rarely.happened(start + 20'000s + 3h) == 1);
}
