// core/v1 Probe and its handlers (the rules of pkg/apis/core/validation: validateProbe, validateHTTPGetAction,
// validateGRPCAction).
#include <algorithm>
#include <limits>

#include "api/objects/decode_parts.hpp"
#include "api/objects/expansion.hpp"
#include "base/plain_text.hpp"

namespace api {
namespace {

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();

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
constexpr std::size_t max_command = 64 * 1024;

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
    const Field protocol = field["protocol"];
    http.h2 = protocol.one_of({"HTTP1", "HTTP2"}) == 1;
    if (http.h2 && (http.https || !http.host.empty()))
        protocol.against_rules(
            "HTTP2 is in plain text and of the pod itself: neither scheme HTTPS nor a host goes with it");
    const Field headers = field["httpHeaders"];
    if (headers.size() > max_headers)
        headers.wrong("has " + std::to_string(headers.size()) + " headers; a probe sends at most " +
                      std::to_string(max_headers));
    else
        headers.each([&](const Field& item) { http.headers.push_back(read_header(item)); });
    return http;
}

GrpcAction read_grpc(const Field& field) {
    field.only({"mode", "port", "service"});
    GrpcAction grpc;
    const Field port = field["port"];
    if (!port.given())
        port.wrong("missing");
    grpc.port = static_cast<std::uint16_t>(port.integer(1, 65535, 1));
    const Field service = field["service"];
    grpc.service = service.text();
    check_size(service, grpc.service, max_request_text);
    grpc.tls = field["mode"].one_of({"Plaintext", "TLS"}) == 1;
    return grpc;
}

ExecAction read_exec(const Field& field, const Environment& environment) {
    field.only({"command"});
    ExecAction exec;
    const Field command = field["command"];
    if (command.size() == 0)
        command.wrong("missing");
    std::size_t left = max_command;
    command.each([&](const Field& word) {
        auto expanded = expand(word.text(), environment, left);
        if (expanded)
            left -= expanded->size();
        else
            word.wrong("makes the command longer than " + std::to_string(max_command) + " bytes, which podferry takes");
        exec.command.push_back(std::move(expanded).value_or(""));
    });
    return exec;
}

/// Those whose value is written there, which probes may name; a value from elsewhere counts as none, as in the kubelet
/// (v1EnvVarsToMap). The rest of what is wrong with them is the kubelet's to say.
Environment read_environment(const Field& field) {
    Environment environment;
    field.each([&](const Field& item) {
        const Field name = item["name"];
        const Field value = item["value"];
        environment.insert_or_assign(name.text(), value.text());
    });
    return environment;
}

/// Exactly one of the four; the surplus ones are named, their own fields not looked at.
void read_handler(const Field& field, const Field& environment, Probe& probe) {
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
        } else if (found == "grpc") {
            probe.handler = read_grpc(handler);
        } else {
            probe.handler = read_exec(handler, read_environment(environment));
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

}  // namespace

std::optional<Probe> decode_probe(const Field& field, bool is_readiness, const Field& environment) {
    if (!field.given())
        return std::nullopt;
    field.only(probe_fields);
    Probe probe;
    read_handler(field, environment, probe);
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

}  // namespace api
