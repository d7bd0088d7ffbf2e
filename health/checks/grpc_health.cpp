#include "health/checks/grpc_health.hpp"

#include <array>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace health {
namespace {

constexpr std::int32_t serving = 1;
constexpr std::array statuses = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

/// HealthCheckResponse.status; nothing: these bytes are no such message.
std::optional<std::int32_t> status_in(std::string_view message) {
    std::int32_t status = 0;  // UNKNOWN is not sent
    try {
        for (protozero::pbf_reader reader(message.data(), message.size()); reader.next();) {
            if (reader.tag_and_type() == protozero::tag_and_type(1, protozero::pbf_wire_type::varint))
                status = reader.get_enum();
            else
                reader.skip();
        }
    } catch (const protozero::exception&) {
        return std::nullopt;
    }
    return status;
}

std::string word(std::int32_t status) {
    return status >= 0 && status < static_cast<std::int32_t>(statuses.size())
               ? statuses[static_cast<std::size_t>(status)]
               : std::to_string(status);
}

std::string seconds(std::chrono::milliseconds timeout) {
    return timeout.count() % 1000 == 0 ? std::to_string(timeout.count() / 1000) + "s"
                                       : std::to_string(timeout.count()) + "ms";
}

Outcome failed(std::string reason) {
    return {Answer::failure, std::move(reason), {}};
}

}  // namespace

std::string health_request(std::string_view service) {
    std::string bytes;
    if (!service.empty())
        protozero::pbf_writer(bytes).add_string(1, service.data(), service.size());
    return bytes;
}

Outcome judge_health(const GrpcStatus& status, std::string_view message, std::chrono::milliseconds timeout) {
    if (status.code == GrpcCode::unimplemented)
        return failed("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " +
                      status.message);
    if (status.code == GrpcCode::deadline_exceeded)
        return failed("timeout: health rpc did not complete within " + seconds(timeout));
    if (status.code != GrpcCode::ok)
        return failed("error: health rpc probe failed: " + to_string(status));
    const auto said = status_in(message);
    if (!said)
        return failed("error: health rpc probe failed: " +
                      to_string({GrpcCode::internal, "grpc: failed to unmarshal the received message"}));
    if (*said != serving)
        return failed("service unhealthy (responded with \"" + word(*said) + "\")");
    return {Answer::success, "", {}};
}

}  // namespace health
