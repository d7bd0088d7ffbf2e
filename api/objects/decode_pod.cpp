// core/v1 Pod (the rules of pkg/apis/core/validation).
#include <algorithm>
#include <limits>
#include <set>

#include "api/objects/decode_parts.hpp"
#include "api/objects/names.hpp"
#include "base/plain_text.hpp"

namespace api {
namespace {

constexpr std::initializer_list<std::string_view> spec_fields = {"activeDeadlineSeconds",
                                                                 "affinity",
                                                                 "automountServiceAccountToken",
                                                                 "containers",
                                                                 "dnsConfig",
                                                                 "dnsPolicy",
                                                                 "enableServiceLinks",
                                                                 "ephemeralContainers",
                                                                 "hostAliases",
                                                                 "hostIPC",
                                                                 "hostNetwork",
                                                                 "hostPID",
                                                                 "hostUsers",
                                                                 "hostname",
                                                                 "hostnameOverride",
                                                                 "imagePullSecrets",
                                                                 "initContainers",
                                                                 "nodeName",
                                                                 "nodeSelector",
                                                                 "os",
                                                                 "overhead",
                                                                 "preemptionPolicy",
                                                                 "priority",
                                                                 "priorityClassName",
                                                                 "readinessGates",
                                                                 "resourceClaims",
                                                                 "resources",
                                                                 "restartPolicy",
                                                                 "runtimeClassName",
                                                                 "schedulerName",
                                                                 "schedulingGates",
                                                                 "securityContext",
                                                                 "serviceAccount",
                                                                 "serviceAccountName",
                                                                 "setHostnameAsFQDN",
                                                                 "shareProcessNamespace",
                                                                 "subdomain",
                                                                 "terminationGracePeriodSeconds",
                                                                 "tolerations",
                                                                 "topologySpreadConstraints",
                                                                 "volumes",
                                                                 "workloadRef"};
constexpr std::initializer_list<std::string_view> container_fields = {"args",
                                                                      "command",
                                                                      "env",
                                                                      "envFrom",
                                                                      "image",
                                                                      "imagePullPolicy",
                                                                      "lifecycle",
                                                                      "livenessProbe",
                                                                      "name",
                                                                      "ports",
                                                                      "readinessProbe",
                                                                      "resizePolicy",
                                                                      "resources",
                                                                      "restartPolicy",
                                                                      "restartPolicyRules",
                                                                      "securityContext",
                                                                      "startupProbe",
                                                                      "stdin",
                                                                      "stdinOnce",
                                                                      "terminationMessagePath",
                                                                      "terminationMessagePolicy",
                                                                      "tty",
                                                                      "volumeDevices",
                                                                      "volumeMounts",
                                                                      "workingDir"};
void read_container_ports(const Field& field, Container& container) {
    std::set<std::string> names;
    field.each([&](const Field& item) {
        item.only({"containerPort", "hostIP", "hostPort", "name", "protocol"});
        ContainerPort port;
        const Field name = item["name"];
        port.name = name.text();
        if (!port.name.empty()) {
            name.check(check_port_name(port.name));
            if (!names.insert(port.name).second)
                name.wrong(base::quoted(port.name) + " is the name of an earlier port too");
        }
        port.protocol = read_protocol(item["protocol"]);
        const Field number = item["containerPort"];
        if (!number.given())
            number.wrong("missing");
        port.port = static_cast<std::uint16_t>(number.integer(1, 65535, 1));
        container.ports.push_back(std::move(port));
    });
}

Container read_container(const Field& field, bool may_be_probed) {
    field.only(container_fields);
    Container container;
    const Field name = field["name"];
    container.name = name.text();
    name.check(name.given() ? check_dns_label(container.name) : "missing");
    read_container_ports(field["ports"], container);
    const Field readiness = field["readinessProbe"];
    const Field liveness = field["livenessProbe"];
    const Field startup = field["startupProbe"];
    if (!may_be_probed)
        for (const Field* probe : {&readiness, &liveness, &startup})
            if (probe->given())
                probe->wrong("must not be set for init containers without restartPolicy: Always");
    const Field environment = field["env"];
    container.readiness = decode_probe(readiness, true, environment);
    container.liveness = decode_probe(liveness, false, environment);
    container.startup = decode_probe(startup, false, environment);
    return container;
}

void read_containers(const Field& spec, Pod& pod) {
    std::set<std::string> names;
    const auto add = [&](const Field& item, bool may_be_probed, bool keep) {
        Container container = read_container(item, may_be_probed);
        if (!container.name.empty() && !names.insert(container.name).second)
            item["name"].wrong(base::quoted(container.name) + " is the name of an earlier container too");
        if (keep)
            pod.containers.push_back(std::move(container));
    };
    const Field containers = spec["containers"];
    if (containers.size() == 0)
        containers.wrong("missing; a Pod needs at least one container");
    containers.each([&](const Field& item) { add(item, true, true); });
    spec["initContainers"].each([&](const Field& item) {
        const bool sidecar = item["restartPolicy"].text() == "Always";
        add(item, sidecar, sidecar);
    });
}

ContainerStatus read_container_status(const Field& field) {
    ContainerStatus status;
    status.name = field["name"].text();
    status.container_id = field["containerID"].text();
    status.ready = field["ready"].flag(false);
    const Field started = field["started"];
    if (started.given())
        status.started = started.flag(false);
    const Field state = field["state"];
    if (state["running"].given())
        status.state = ContainerState::running;
    else if (state["terminated"].given())
        status.state = ContainerState::terminated;
    return status;
}

void read_status(const Field& field, Pod& pod) {
    const Field phase = field["phase"];
    if (phase.given())
        pod.phase = static_cast<PodPhase>(phase.one_of({"Unknown", "Pending", "Running", "Succeeded", "Failed"}));
    field["podIPs"].each([&](const Field& item) {
        if (const auto address = read_address(item["ip"]))
            pod.ips.push_back(*address);
    });
    const Field one = field["podIP"];
    if (pod.ips.empty() && one.given() && !one.text().empty())
        if (const auto address = read_address(one))
            pod.ips.push_back(*address);
    field["conditions"].each([&](const Field& item) {
        pod.conditions[item["type"].text()] = item["status"].one_of({"Unknown", "False", "True"}) == 2;
    });
    for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
        const Field statuses = field[list];
        statuses.each([&](const Field& item) { pod.container_statuses.push_back(read_container_status(item)); });
    }
}

}  // namespace

Pod decode_pod(const Field& document, Metadata metadata) {
    Pod pod;
    pod.name = std::move(metadata.name);
    pod.uid = std::move(metadata.uid);
    pod.labels = std::move(metadata.labels);
    pod.terminating = metadata.terminating;
    const Field spec = document["spec"];
    spec.only(spec_fields);
    pod.node_name = spec["nodeName"].text();
    pod.host_network = spec["hostNetwork"].flag(false);
    read_containers(spec, pod);
    spec["readinessGates"].each([&](const Field& item) {
        item.only({"conditionType"});
        const Field type = item["conditionType"];
        type.check(check_label_key(type.text()));
        pod.readiness_gates.push_back(type.text());
    });
    read_status(document["status"], pod);
    return pod;
}

}  // namespace api
