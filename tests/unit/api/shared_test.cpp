// Values that are kept once.
#include "api/objects/shared.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "api/objects/types.hpp"

using namespace api;
using Text = Shared<std::string>;

TEST_CASE("equal values are one, and differ from others") {
    const Text a(std::string("worker-1.example"));
    const Text b(std::string("worker-1.example"));
    CHECK(a == b);
    CHECK(&*a == &*b);
    CHECK_FALSE(a == Text(std::string("worker-2.example")));
    CHECK(*a == "worker-1.example");
    CHECK(Text() == Text(std::string()));
    CHECK(Text()->empty());
}

TEST_CASE("a shared value stays for its last user") {
    Text kept;
    {
        Text made(std::string("worker-1.example"));
        kept = made;
        made = std::string("worker-2.example");
        CHECK(*made == "worker-2.example");
    }
    CHECK(*kept == "worker-1.example");
    kept = Text(std::move(kept));
    CHECK(*kept == "worker-1.example");
}

TEST_CASE("shared lists are told apart by all they have") {
    using Hints = Shared<std::vector<Hint>>;
    const Hints zone(std::vector<Hint>{{Hint::Scope::zone, "a"}});
    CHECK(zone == Hints(std::vector<Hint>{{Hint::Scope::zone, "a"}}));
    CHECK_FALSE(zone == Hints(std::vector<Hint>{{Hint::Scope::node, "a"}}));
    CHECK_FALSE(zone == Hints(std::vector<Hint>{{Hint::Scope::zone, "a"}, {Hint::Scope::zone, "b"}}));
}

TEST_CASE("values come and go on several threads") {
    std::vector<std::thread> threads;
    std::atomic<std::size_t> wrong{0};
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                const std::string name = "worker-" + std::to_string(i % 3);
                const Text text(name);
                const Text copy(text);
                wrong += *copy == name ? 0 : 1;
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(wrong == 0);
}
