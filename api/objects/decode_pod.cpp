// core/v1 Pod and Probe (the rules of pkg/apis/core/validation: validateProbe, validateHTTPGetAction).
#include <algorithm>
#include <limits>
#include <set>

#include "api/objects/decode_parts.hpp"
#include "api/objects/names.hpp"
#include "base/plain_text.hpp"

namespace api {
namespace {

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();

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
constexpr std::initializer_list<std::string_view> probe_fields = {"exec",
                                                                  "failureThreshold",
                                                                  "grpc",
                                                                  "httpGet",
                                                                  "initialDelaySeconds",
                                                                  "periodSeconds",
                                                                  "successThreshold",
                                                                  "tcpSocket",
                                                                  "terminationGracePeriodSeconds",
                                                                  "timeoutSeconds"};

bool is_header_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    });
}

PortReference read_required_port(const Field& field) {
    if (!field.given())
        field.wrong("missing");
    return read_port_reference(field, std::uint16_t{1});
}

// These bounds are of texts that become a probe's request. The API server has none but the object's size; a request
// that servers read has them: nginx and Apache take 8 KiB for a line.
constexpr std::size_t max_request_text = 8 * 1024;
constexpr std::size_t max_header_name = 256;
constexpr std::size_t max_headers = 64;
constexpr std::size_t max_host = 253;

bool is_control(unsigned char c) {
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

/// The text has at most `most` bytes, or is refused.
void check_size(const Field& field, const std::string& text, std::size_t most) {
    if (text.size() > most)
        field.wrong("has " + std::to_string(text.size()) + " bytes; a probe sends at most " + std::to_string(most));
}

/// A name or address to connect to, which becomes the line Host of a request.
std::string read_host(const Field& field) {
    std::string host = field.text();
    check_size(field, host, max_host);
    if (std::any_of(host.begin(), host.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f; }))
        field.wrong(base::quoted(base::printable(host)) + " is neither a name nor an address");
    return host;
}

std::pair<std::string, std::string> read_header(const Field& item) {
    item.only({"name", "value"});
    const Field name = item["name"];
    if (!is_header_name(name.text()))
        name.wrong(base::quoted(name.text()) + " is not a header's name (letters, digits and '-')");
    check_size(name, name.text(), max_header_name);
    const Field value = item["value"];
    std::string text = value.text();
    if (text.find_first_of("\r\n") != std::string::npos)
        value.wrong("a header's value has no line breaks");
    else if (std::any_of(text.begin(), text.end(), is_control))
        value.wrong("a header's value has no control characters");
    check_size(value, text, max_request_text);
    return {name.text(), std::move(text)};
}

HttpGet read_http_get(const Field& field) {
    field.only({"host", "httpHeaders", "path", "port", "protocol", "scheme"});
    HttpGet http;
    const Field path = field["path"];
    http.path = path.text("/");
    check_size(path, http.path, max_request_text);
    if (http.path.empty())
        http.path = "/";
    http.port = read_required_port(field["port"]);
    http.host = read_host(field["host"]);
    http.https = field["scheme"].one_of({"HTTP", "HTTPS"}) == 1;
    const Field headers = field["httpHeaders"];
    if (headers.size() > max_headers)
        headers.wrong("has " + std::to_string(headers.size()) + " headers; a probe sends at most " +
                      std::to_string(max_headers));
    else
        headers.each([&](const Field& item) { http.headers.push_back(read_header(item)); });
    return http;
}

void read_other_handler(const Field& handler, const std::string& kind) {
    if (kind == "exec")
        handler.only({"command"});
    else
        handler.only({"port", "service"});
    const Field needed = handler[kind == "exec" ? "command" : "port"];
    if (!needed.given() || (kind == "exec" && needed.size() == 0))
        needed.wrong("missing");
    else if (kind == "exec")
        needed.each([](const Field& word) { word.text(); });
    else
        needed.integer(1, 65535, 1);
    if (kind == "grpc")
        handler["service"].text();
}

/// Exactly one of the four; the surplus ones are named, their own fields not looked at.
void read_handler(const Field& field, Probe& probe) {
    std::string found;
    for (const char* kind : {"exec", "httpGet", "tcpSocket", "grpc"}) {
        const Field handler = field[kind];
        if (!handler.given())
            continue;
        if (!found.empty()) {
            handler.wrong("may not specify more than 1 handler type; " + found + " is there already");
            continue;
        }
        found = kind;
        if (found == "httpGet") {
            probe.handler = read_http_get(handler);
        } else if (found == "tcpSocket") {
            handler.only({"host", "port"});
            probe.handler = TcpSocket{read_required_port(handler["port"]), read_host(handler["host"])};
        } else {
            read_other_handler(handler, found);
            probe.handler = OtherHandler{found};
        }
    }
    if (found.empty())
        field.wrong("must specify a handler type: httpGet, tcpSocket, grpc or exec");
}

/// Zero and absent are the same: the default.
int read_count(const Field& field, int otherwise) {
    const auto number = field.integer(0, int32_max, otherwise);
    return static_cast<int>(number == 0 ? otherwise : number);
}

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
    container.readiness = decode_probe(readiness, true);
    container.liveness = decode_probe(liveness, false);
    container.startup = decode_probe(startup, false);
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

std::optional<Probe> decode_probe(const Field& field, bool is_readiness) {
    if (!field.given())
        return std::nullopt;
    field.only(probe_fields);
    Probe probe;
    read_handler(field, probe);
    probe.initial_delay = std::chrono::seconds(field["initialDelaySeconds"].integer(0, int32_max, 0));
    probe.timeout = std::chrono::seconds(read_count(field["timeoutSeconds"], 1));
    probe.period = std::chrono::seconds(read_count(field["periodSeconds"], 10));
    probe.failure_threshold = read_count(field["failureThreshold"], 3);
    const Field success = field["successThreshold"];
    probe.success_threshold = read_count(success, 1);
    if (!is_readiness && probe.success_threshold != 1)
        success.wrong("must be 1 for liveness and startup probes");
    const Field grace = field["terminationGracePeriodSeconds"];
    if (grace.given()) {
        grace.integer(1, std::numeric_limits<std::int64_t>::max(), 1);
        if (is_readiness)
            grace.wrong("must not be set for readinessProbes");
    }
    return probe;
}

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
