// An engine whose endpoints of Service shop/web own checks judge: at 10.1.0.N:8080, behind 10.96.0.10:80.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "engine_world.hpp"

namespace build {

struct OpinionWorld {
    World world;
    proxy::Time now = proxy::Time{} + std::chrono::hours(1);
    api::Protocol protocol;

    OpinionWorld(const proxy::Config& config, api::Protocol given) : world(true, config), protocol(given) {}

    void review(std::chrono::milliseconds after = {}) {
        now += after;
        world.engine.review_opinions(now);
        world.plan();
    }
    /// "11=1 12=0"
    std::string backends() const {
        const auto* state = world.engine.desired().find(
            {build::address("10.96.0.10"),
             protocol == api::Protocol::udp ? netlink::Protocol::udp : netlink::Protocol::tcp, 80});
        REQUIRE(state != nullptr);
        std::string text;
        for (const auto& [real, weight] : state->real_servers)
            text += (text.empty() ? "" : " ") + real.address.to_string().substr(7) + "=" + std::to_string(weight);
        return text;
    }
    /// What is held against the endpoint; empty: nothing.
    std::string reason_of(const std::string& address) const {
        return world.engine.planner().ledger().guards.reason({"shop", "web"}, {build::address(address), 8080});
    }
};

}  // namespace build
