// From a pod's probes to what is asked.
#include "proxy/engine/probes.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

struct Described {
    std::optional<health::Check> check;
    std::vector<std::string> problems;
};

Described described(decltype(api::Probe::handler) handler, const std::string& uid = "",
                    const std::string& socket = "") {
    auto pod = build::pod("web", "web-1", "10.1.0.11");
    pod.uid = uid;
    pod.containers[0].readiness->handler = std::move(handler);
    Described result;
    const auto targets = probe_targets(pod, socket, result.problems);
    if (!targets.empty())
        result.check = targets.begin()->second.readiness->check;
    return result;
}

}  // namespace

TEST_CASE("gRPC probes go to the pod's own address, whatever the transport") {
    const auto tls = GENERATE(false, true);
    const Described grpc = described(api::GrpcAction{9000, "shop.Cart", tls});
    CHECK(grpc.check == health::Check(health::GrpcCheck{"10.1.0.11", 9000, "shop.Cart", tls}));
    CHECK(grpc.problems.empty());
}

TEST_CASE("httpGet over HTTP/2 in plain text is asked so") {
    api::HttpGet http;
    http.port = std::uint16_t{8080};
    http.h2 = true;
    const Described get = described(http);
    REQUIRE(get.check);
    CHECK(std::get<health::HttpCheck>(*get.check).h2);
}

TEST_CASE("a command is run by the runtime in the container with the kubelet's labels") {
    const api::ExecAction command{{"cat", "/tmp/ready"}};
    const Described known = described(command, "u1", "/run/cri.sock");
    CHECK(known.check ==
          health::Check(health::ExecCheck{"/run/cri.sock",
                                          {{"io.kubernetes.container.name", "main"}, {"io.kubernetes.pod.uid", "u1"}},
                                          {"cat", "/tmp/ready"}}));
    const Described named = described(command, "", "/run/cri.sock");
    CHECK(std::get<health::ExecCheck>(*named.check).labels == health::Labels{{"io.kubernetes.container.name", "main"},
                                                                             {"io.kubernetes.pod.namespace", "shop"},
                                                                             {"io.kubernetes.pod.name", "web-1"}});
    const Described off = described(command, "u1");
    CHECK_FALSE(off.check);
    REQUIRE(off.problems.size() == 1);
    CHECK(off.problems[0] ==
          "container main: readinessProbe: exec probes are not run without container_runtime_socket; the container "
          "counts as ready unless its status says otherwise");
}
