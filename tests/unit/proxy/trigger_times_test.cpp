// What counts as the time that a change has taken, as kube-proxy's TestLastChangeTriggerTime asks it.
#include "proxy/engine/trigger_times.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const TriggerTimes::WallTime started{1h};

api::EndpointSlice slice(const std::string& name, std::chrono::seconds after_start) {
    api::EndpointSlice slice;
    slice.name = {"shop", name};
    slice.service = "web";
    slice.changed = started + after_start;
    return slice;
}

std::vector<double> seconds(TriggerTimes& times, std::chrono::seconds after_start) {
    std::vector<double> all;
    for (const auto& time : times.exchange(started + after_start))
        all.push_back(time.count());
    return all;
}

}  // namespace

TEST_CASE("times before the start, and of deletions, do not count") {
    using Seconds = std::vector<double>;
    struct Row {
        const char* what;
        std::vector<api::Transaction> transactions;
        Seconds at_100;
    };
    api::EndpointSlice without = slice("a", 0s);
    without.changed = {};
    const auto gone = [](const std::string& name) { return build::removal(api::Kind::endpoint_slice, name); };
    auto moved = gone("a");
    moved.upserts = build::transaction({slice("b", 95s)}).upserts;
    const Row rows[] = {
        {"one change", {build::transaction({slice("a", 90s)})}, {10}},
        {"two slices", {build::transaction({slice("a", 90s), slice("b", 97s)})}, {10, 3}},
        {"one slice twice: both were waited for",
         {build::transaction({slice("a", 90s)}), build::transaction({slice("a", 98s)})},
         {10, 2}},
        {"before the start", {build::transaction({slice("a", -1s)})}, {}},
        {"at the start", {build::transaction({slice("a", 0s)})}, {}},
        {"a slice that does not say", {build::transaction({without})}, {}},
        {"deleted", {gone("a")}, {}},
        {"deleted before the kernel had its change", {build::transaction({slice("a", 90s)}), gone("a")}, {}},
        {"another slice of the Service goes on",
         {build::transaction({slice("a", 90s), slice("b", 97s)}), gone("a")},
         {3}},
        {"deleted, and another one comes at once", {build::transaction({slice("a", 90s)}), moved}, {5}},
        {"no slice", {build::transaction({build::service("web", "10.96.0.5")})}, {}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        TriggerTimes times(started);
        for (const api::Transaction& transaction : row.transactions)
            times.note(transaction);
        CHECK(seconds(times, 100s) == row.at_100);
        CHECK(seconds(times, 100s).empty());
    }
}

TEST_CASE("a folder's changes count from the first reading that waits") {
    TriggerTimes times(started);
    times.note_reading(started + 90s);
    times.note_reading(started + 95s);
    CHECK(seconds(times, 100s) == std::vector<double>{10});
    times.note_reading(started + 105s);
    CHECK(seconds(times, 107s) == std::vector<double>{2});
}
