#include "proxy/engine/probes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.hpp"
#include "base/overloaded.hpp"

namespace proxy {
namespace {

/// A name is looked up in the container's own ports (protocol ignored, first match), then read as a number, as the
/// kubelet does (pkg/probe/util.go ResolveContainerPort).
std::optional<std::uint16_t> resolve(const api::PortReference& reference, const api::Container& container) {
    const auto by_name = [&](const std::string& name) -> std::optional<std::uint16_t> {
        for (const api::ContainerPort& port : container.ports)
            if (port.name == name)
                return port.port;
        const auto number = base::parse_number<std::uint16_t>(name);
        return number != 0 ? number : std::nullopt;
    };
    return std::visit(base::overloaded{[](std::uint16_t number) { return std::optional(number); }, by_name}, reference);
}

struct Context {
    const api::Pod& pod;
    const api::Container& container;
    const char* type;
    const std::string& runtime_socket;
    std::vector<std::string>& problems;

    std::optional<std::uint16_t> port(const api::PortReference& reference) const {
        const auto port = resolve(reference, container);
        if (!port)
            problems.push_back(
                fmt::format("container {}: {}: port '{}' is no port of this container; the probe is not run",
                            container.name, type, std::get<std::string>(reference)));
        return port;
    }
    std::string host(const std::string& given) const { return given.empty() ? pod.ips[0].to_string() : given; }
};

using Checked = std::optional<health::Check>;

Checked check_of(const Context& context, const api::HttpGet& http) {
    const auto port = context.port(http.port);
    return port ? Checked(
                      health::HttpCheck{context.host(http.host), *port, http.path, http.https, http.h2, http.headers})
                : std::nullopt;
}

Checked check_of(const Context& context, const api::TcpSocket& tcp) {
    const auto port = context.port(tcp.port);
    return port ? Checked(health::TcpCheck{context.host(tcp.host), *port}) : std::nullopt;
}

Checked check_of(const Context& context, const api::GrpcAction& grpc) {
    return health::GrpcCheck{context.pod.ips[0].to_string(), grpc.port, grpc.service, grpc.tls};
}

/// What the kubelet gives a container (pkg/kubelet/types/labels.go). A manifest need not say a UID.
health::Labels labels_of(const api::Pod& pod, const api::Container& container) {
    health::Labels labels = {{"io.kubernetes.container.name", container.name}};
    if (!pod.uid.empty()) {
        labels.emplace_back("io.kubernetes.pod.uid", pod.uid);
    } else {
        labels.emplace_back("io.kubernetes.pod.namespace", pod.name.space);
        labels.emplace_back("io.kubernetes.pod.name", pod.name.name);
    }
    return labels;
}

Checked check_of(const Context& context, const api::ExecAction& exec) {
    if (!context.runtime_socket.empty())
        return health::ExecCheck{context.runtime_socket, labels_of(context.pod, context.container), exec.command};
    context.problems.push_back(fmt::format(
        "container {}: {}: exec probes are not run without container_runtime_socket; the container counts as {}",
        context.container.name, context.type,
        std::string_view(context.type) == "readinessProbe" ? "ready unless its status says otherwise" : "alive"));
    return std::nullopt;
}

std::optional<health::ProbeSpec> spec_of(const Context& context, const std::optional<api::Probe>& probe) {
    if (!probe)
        return std::nullopt;
    auto check = std::visit([&](const auto& handler) { return check_of(context, handler); }, probe->handler);
    if (!check)
        return std::nullopt;
    health::Timing timing{probe->initial_delay, probe->timeout, probe->period, probe->success_threshold,
                          probe->failure_threshold};
    return health::ProbeSpec{std::move(*check), timing};
}

/// The container's ID where a status gives one, else what changes when the pod is replaced.
std::string incarnation_of(const api::Pod& pod, const api::Container& container) {
    for (const api::ContainerStatus& status : pod.container_statuses)
        if (status.name == container.name && !status.container_id.empty())
            return status.container_id;
    return pod.uid + "@" + pod.ips[0].to_string();
}

bool runs_elsewhere(const std::optional<api::Probe>& probe) {
    return probe && std::holds_alternative<api::ExecAction>(probe->handler);
}

}  // namespace

std::string probe_name(const api::ObjectName& pod) {
    return api::to_string(pod);
}

std::map<health::Subject, health::Target> probe_targets(const api::Pod& pod, const std::string& runtime_socket,
                                                        std::vector<std::string>& problems) {
    std::map<health::Subject, health::Target> targets;
    if (pod.ips.empty() || pod.phase == api::PodPhase::succeeded || pod.phase == api::PodPhase::failed)
        return targets;
    for (const api::Container& container : pod.containers) {
        health::Target target;
        target.readiness = spec_of({pod, container, "readinessProbe", runtime_socket, problems}, container.readiness);
        target.liveness = spec_of({pod, container, "livenessProbe", runtime_socket, problems}, container.liveness);
        target.startup = spec_of({pod, container, "startupProbe", runtime_socket, problems}, container.startup);
        if (!target.readiness && !target.liveness && !target.startup)
            continue;
        target.incarnation = incarnation_of(pod, container);
        targets.emplace(health::Subject{probe_name(pod.name), container.name}, std::move(target));
    }
    return targets;
}

api::PodReadiness readiness_of(const api::Pod& pod, PodVerdict verdict) {
    switch (verdict) {
        case PodVerdict::ready:
            return {true, true};
        case PodVerdict::failed:
            return {true, false};
        case PodVerdict::unknown:
            return {true, std::nullopt};
        case PodVerdict::not_probed:
            break;
    }
    const bool could_be_probed = std::any_of(pod.containers.begin(), pod.containers.end(), [](const api::Container& c) {
        return c.readiness && !runs_elsewhere(c.readiness);
    });
    const bool has_status = !pod.conditions.empty() || !pod.container_statuses.empty();
    return {could_be_probed && !has_status, std::nullopt};
}

}  // namespace proxy
