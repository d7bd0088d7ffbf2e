#include "proxy/edge/balanced.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/overloaded.hpp"
#include "netlink/objects.hpp"

namespace proxy {
namespace {

std::string where(const std::string& host, std::uint16_t port) {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

}  // namespace

std::string words_of(const health::Check& check) {
    return std::visit(
        base::overloaded{
            [](const health::TcpCheck& tcp) { return "tcp://" + where(tcp.host, tcp.port); },
            [](const health::HttpCheck& http) {
                std::string text = (http.https ? "https://" : "http://") + where(http.host, http.port) + http.path;
                for (const auto& [name, value] : http.headers)
                    text += " " + name + ": " + value;
                return text;
            },
            [](const health::GrpcCheck& grpc) {
                return (grpc.tls ? "grpcs://" : "grpc://") + where(grpc.host, grpc.port) + "/" + grpc.service;
            },
            [](const health::ExecCheck& exec) {
                return fmt::format("exec {} by {}", fmt::join(exec.command, " "), exec.socket);
            }},
        check);
}

std::string to_string(const HealthCheck& check) {
    const health::Timing& timing = check.spec.timing;
    return fmt::format("{} every {}s, timeout {}s, in after {}, out after {}", words_of(check.spec.check),
                       timing.period.count(), timing.timeout.count(), timing.success_threshold,
                       timing.failure_threshold);
}

std::chrono::milliseconds window_of(const health::Timing& timing) {
    return timing.period * timing.failure_threshold + timing.timeout;
}

}  // namespace proxy
