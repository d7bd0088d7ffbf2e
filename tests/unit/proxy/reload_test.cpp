// What SIGHUP puts in force, what the service manager asks, and on which addresses is listened.
#include "proxy/config/reload.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "proxy/host/service_manager.hpp"

using namespace proxy;
using namespace std::chrono_literals;

TEST_CASE("a configuration that is read again: the log's settings hold at once, and all others are named") {
    const Config running = default_config();
    CHECK(needs_restart(running, running).empty());
    Config fresh = running;
    fresh.log_level = log::Level::debug;
    CHECK(needs_restart(running, fresh).empty());
    fresh.scheduler = "wlc";
    fresh.audit_period = 30s;
    CHECK(needs_restart(running, fresh) == std::vector<std::string>{"scheduler", "audit_period"});
}

TEST_CASE("the service manager is told half as long as it waits, if it is us that it means") {
    CHECK(watchdog_pause({"30000000", nullptr}, 7) == 15s);
    CHECK(watchdog_pause({"30000000", "7"}, 7) == 15s);
    CHECK_FALSE(watchdog_pause({"30000000", "8"}, 7));
    CHECK_FALSE(watchdog_pause({nullptr, nullptr}, 7));
    CHECK_FALSE(watchdog_pause({"soon", nullptr}, 7));
    CHECK_FALSE(watchdog_pause({"0", nullptr}, 7));
}

TEST_CASE("the service manager hears what it is told at its socket, and nobody needs to listen") {
    const std::string name = "@podferry-notify-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    address.sun_path[0] = '\0';
    const int file = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(file, reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())) == 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    const ServiceManager manager;
    ::unsetenv("NOTIFY_SOCKET");
    manager.tell("READY=1");
    char text[64] = {};
    CHECK(::recv(file, text, sizeof(text), 0) == 7);
    CHECK(std::string(text) == "READY=1");
    ::close(file);
    manager.tell("STOPPING=1");
    ServiceManager().tell("READY=1");
}

TEST_CASE("node_ip:PORT is each of the node's addresses") {
    const auto config = parse_config("metrics_bind_address: node_ip:10249\n", "config.yaml");
    REQUIRE(config);
    CHECK_THAT(to_yaml(*config), Catch::Contains("metrics_bind_address: \"node_ip:10249\"\n"));
    const std::vector<Address> node = {base::make_address("192.0.2.1"), base::make_address("2001:db8::1")};
    CHECK(listens_of(config->metrics_bind_address, node) == std::vector<Listen>{{node[0], 10249}, {node[1], 10249}});
    CHECK(listens_of(config->metrics_bind_address, {}).empty());
    CHECK(listens_of(config->healthz_bind_address, node) == config->healthz_bind_address);
}
