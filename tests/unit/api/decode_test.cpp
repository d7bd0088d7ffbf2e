// Defaults and values of decoded objects; what is wrong is tested with tests/bad_input (proxy/bad_input_test.cpp).
#include "api/objects/decode.hpp"

#include <catch2/catch.hpp>

#include "api/objects/names.hpp"
#include "api/wire/yaml_document.hpp"

using namespace api;

namespace {

template <class T>
T decoded(const std::string& yaml) {
    const auto documents = parse_yaml(yaml);
    REQUIRE(documents);
    REQUIRE(documents->size() == 1);
    const Decoded result = decode(Value(&documents->front().value));
    for (const Mistake& mistake : result.mistakes)
        UNSCOPED_INFO(to_string(mistake.path) << ": " << mistake.message);
    REQUIRE(result.objects.size() == 1);
    return std::get<T>(result.objects.front());
}

const std::string service_head = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: ";
const std::string pod_head = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: main, ";

Probe probe(const std::string& text) {
    return *decoded<Pod>(pod_head + "readinessProbe: " + text + "}]}}").containers[0].readiness;
}

}  // namespace

TEST_CASE("a Service's defaults are those of the API server") {
    const auto service = decoded<Service>(service_head + "{ports: [{port: 80}]}}");
    CHECK(service.name == ObjectName{"default", "web"});
    CHECK(service.type == ServiceType::cluster_ip);
    CHECK(service.ports[0].protocol == Protocol::tcp);
    CHECK(std::get<std::uint16_t>(service.ports[0].target_port) == 80);
    CHECK(service.external_traffic_policy == TrafficPolicy::cluster);
    CHECK(service.internal_traffic_policy == TrafficPolicy::cluster);
    CHECK_FALSE(service.client_ip_affinity);
    CHECK(service.allocate_node_ports);
    CHECK_FALSE(service.publish_not_ready_addresses);
}

TEST_CASE("a Service's fields are read") {
    const auto service = decoded<Service>(
        service_head +
        "{type: NodePort, clusterIPs: [10.96.0.5, 'fd00::5'], ipFamilies: [IPv4, IPv6], ipFamilyPolicy: "
        "RequireDualStack,"
        " externalIPs: [203.0.113.7], sessionAffinity: ClientIP, externalTrafficPolicy: Local, selector: {app: web},"
        " ports: [{name: dns, port: 53, protocol: UDP, targetPort: dns-port, nodePort: 30053}]}}");
    CHECK(service.cluster_ips.size() == 2);
    CHECK(service.families == std::vector{Family::ipv4, Family::ipv6});
    CHECK(service.family_policy == FamilyPolicy::require_dual_stack);
    CHECK(service.client_ip_affinity == std::chrono::seconds(10800));
    CHECK(service.external_traffic_policy == TrafficPolicy::local);
    CHECK(std::get<std::string>(service.ports[0].target_port) == "dns-port");
    CHECK(service.ports[0].node_port == 30053);
}

TEST_CASE("of a Service's annotations those that are for us are kept") {
    const auto service = decoded<Service>(
        "{apiVersion: v1, kind: Service, metadata: {name: web, annotations: {podferry.io/scheduler: wrr, "
        "kube-router.io/service.scheduler: lc, kubectl.kubernetes.io/last-applied-configuration: all of it}}, "
        "spec: {ports: [{port: 80}]}}");
    CHECK(service.annotations == Labels{{"kube-router.io/service.scheduler", "lc"}, {"podferry.io/scheduler", "wrr"}});
}

TEST_CASE("what a load balancer has given, and to whom it is open") {
    const std::string spec =
        "{clusterIP: 10.96.0.5, ports: [{port: 80}], healthCheckNodePort: 31000, externalTrafficPolicy: Local,"
        " loadBalancerSourceRanges: ['10.1.2.3/8 ', '::/0'], type: ";
    const std::string status =
        "}, status: {loadBalancer: {ingress: [{ip: 203.0.113.7}, {ip: 'fd00::7', ipMode: Proxy}, {hostname: a.b}]}}}";
    const auto balanced = decoded<Service>(service_head + spec + "LoadBalancer" + status);
    CHECK(balanced.ingress == std::vector<Ingress>{{base::make_address("203.0.113.7"), IpMode::vip},
                                                   {base::make_address("fd00::7"), IpMode::proxy}});
    CHECK(balanced.source_ranges ==
          std::vector<base::Prefix>{{base::make_address("10.0.0.0"), 8}, {base::make_address("::"), 0}});
    CHECK(balanced.health_check_node_port == 31000);
    const auto former = decoded<Service>(service_head + spec + "NodePort" + status);
    CHECK(former.ingress.empty());
    CHECK(former.source_ranges.empty());
    CHECK(former.health_check_node_port == 0);
}

TEST_CASE("an explicit zero, and an empty text, mean absent") {
    for (const char* target : {"0", "''", "~", "0.0"}) {
        const auto service = decoded<Service>(service_head +
                                              "{type: '', sessionAffinity: '', ports: [{port: 80, protocol: '',"
                                              " nodePort: 0, targetPort: " +
                                              target + "}]}}");
        CHECK(std::get<std::uint16_t>(service.ports[0].target_port) == 80);
        CHECK(service.ports[0].protocol == Protocol::tcp);
        CHECK(service.type == ServiceType::cluster_ip);
    }
}

TEST_CASE("numbers are as kubectl sends them") {
    const auto service = decoded<Service>(service_head +
                                          "{ports: [{name: a, port: 80.0}, {name: b, port: 8e1, protocol:"
                                          " UDP}, {name: c, port: 8_080}, {name: d, port: 0x50, protocol: SCTP}]}}");
    CHECK(service.ports[0].port == 80);
    CHECK(service.ports[1].port == 80);
    CHECK(service.ports[2].port == 8080);
    CHECK(service.ports[3].port == 80);
}

TEST_CASE("an object is known by its kind and its group") {
    struct Row {
        const char* text;
        const char* other;    ///< the kind that it is counted as
        const char* mistake;  ///< part of it
    };
    const auto row = GENERATE(values<Row>({
        {"{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}, spec: {template: {}}}",
         "Service.serving.knative.dev", ""},
        {"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}", "Deployment.apps", ""},
        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", "ConfigMap", ""},
        {"{apiVersion: metrics.k8s.io/v1, kind: Node, metadata: {name: a}}", "Node.metrics.k8s.io", ""},
        {"{apiVersion: v1, kind: Servcie, metadata: {name: a}}", "Servcie", "did you mean 'Service'?"},
        {"{apiVersion: apps/v1, kind: Service, metadata: {name: a}}", "",
         "'apps/v1'; kind Service is of apiVersion v1"},
        {"{apiVersion: v1, kind: EndpointSlice, metadata: {name: a}}", "", "is of apiVersion discovery.k8s.io/v1"},
        {"{apiVersion: discovery.k8s.io/v1beta1, kind: EndpointSlice, metadata: {name: a}}", "",
         "is of apiVersion discovery.k8s.io/v1"},
        {"{kind: Service, metadata: {name: a}}", "", "apiVersion: missing"},
        {"{kind: Deployment, metadata: {name: a}}", "", "apiVersion: missing"},
        {"{apiVersion: v1, metadata: {name: a}}", "", "kind: missing"},
        {"{apiVersion: a/b/c, kind: Service, metadata: {name: a}}", "", "'a/b/c' is no apiVersion"},
    }));
    CAPTURE(row.text);
    const auto documents = parse_yaml(row.text);
    const Decoded result = decode(Value(&documents->front().value));
    CHECK(result.other == row.other);
    CHECK(result.objects.empty());
    CHECK(result.mistakes.empty() == (*row.mistake == '\0'));
    for (const Mistake& mistake : result.mistakes) {
        if (to_string(mistake).find(row.mistake) != std::string::npos)
            return;
    }
    CHECK(*row.mistake == '\0');
}

TEST_CASE("headless and ExternalName Services") {
    CHECK(decoded<Service>(service_head + "{clusterIP: None}}").headless);
    CHECK(decoded<Service>(service_head + "{type: ExternalName, externalName: a.example}}").type ==
          ServiceType::external_name);
    CHECK(decoded<Service>(service_head + "{clusterIP: '', ports: [{port: 1}]}}").cluster_ips.empty());
}

TEST_CASE("a probe's defaults; zero is the same as absent") {
    for (const char* text : {"{tcpSocket: {port: 80}}",
                             "{tcpSocket: {port: 80}, timeoutSeconds: 0, periodSeconds: 0, successThreshold: 0,"
                             " failureThreshold: 0, initialDelaySeconds: 0}"}) {
        const Probe p = probe(text);
        CHECK(p.timeout == std::chrono::seconds(1));
        CHECK(p.period == std::chrono::seconds(10));
        CHECK(p.success_threshold == 1);
        CHECK(p.failure_threshold == 3);
        CHECK(p.initial_delay == std::chrono::seconds(0));
    }
}

TEST_CASE("what becomes a probe's request has bounds, and an error that says where") {
    struct Row {
        std::string handler;
        std::string mistake;  // empty: none
    };
    const auto header = [](const std::string& name, const std::string& value) {
        return "httpGet: {port: 80, httpHeaders: [{name: " + name + ", value: \"" + value + "\"}]}";
    };
    std::string headers;
    for (int i = 0; i < 65; ++i)
        headers += "{name: A, value: b}, ";
    const std::string http = "spec.containers[0].readinessProbe.httpGet.";
    for (const Row& row : std::vector<Row>{
             {header("A", std::string(8192, 'x')), ""},
             {header("A", std::string(8193, 'x')),
              http + "httpHeaders[0].value: has 8193 bytes; a probe sends at most 8192"},
             {header("A", std::string(70'000, 'x')),
              http + "httpHeaders[0].value: has 70000 bytes; a probe sends at most 8192"},
             {header(std::string(257, 'A'), "x"),
              http + "httpHeaders[0].name: has 257 bytes; a probe sends at most 256"},
             {header("A", "a\\tb"), ""},
             {header("A", "a\\0b"), http + "httpHeaders[0].value: a header's value has no control characters"},
             {header("A", "a\\x7fb"), http + "httpHeaders[0].value: a header's value has no control characters"},
             {header("A", "a\\r\\nB: c"), http + "httpHeaders[0].value: a header's value has no line breaks"},
             {"httpGet: {port: 80, httpHeaders: [" + headers + "]}",
              http + "httpHeaders: has 65 headers; a probe sends at most 64"},
             {"httpGet: {port: 80, path: /" + std::string(8192, 'x') + "}",
              http + "path: has 8193 bytes; a probe sends at most 8192"},
             {"httpGet: {port: 80, host: " + std::string(254, 'x') + "}",
              http + "host: has 254 bytes; a probe sends at most 253"},
             {"httpGet: {port: 80, host: 'a b'}", http + "host: 'a b' is neither a name nor an address"},
             {"httpGet: {port: 80, host: \"a\\r\\nX: y\"}",
              http + "host: 'a\\r\\nX: y' is neither a name nor an address"},
             {"tcpSocket: {port: 80, host: 'a b'}",
              "spec.containers[0].readinessProbe.tcpSocket.host: 'a b' is neither a name nor an address"},
             {"grpc: {port: 80, service: " + std::string(8193, 'x') + "}",
              "spec.containers[0].readinessProbe.grpc.service: has 8193 bytes; a probe sends at most 8192"},
             {"exec: {command: [sh, -c, " + std::string(65'531, 'x') + "]}", ""},
             {"exec: {command: [sh, -c, " + std::string(65'533, 'x') + "]}",
              "spec.containers[0].readinessProbe.exec.command[2]: makes the command longer than 65536 bytes, which "
              "podferry takes"},
             {"httpGet: {port: 80, protocol: HTTP2, scheme: HTTPS}",
              http + "protocol: HTTP2 is in plain text and of the pod itself: neither scheme HTTPS nor a host goes "
                     "with it"},
         }) {
        CAPTURE(row.mistake);
        const auto documents = parse_yaml(pod_head + "readinessProbe: {" + row.handler + "}}]}}");
        REQUIRE(documents);
        const Decoded result = decode(Value(&documents->front().value));
        REQUIRE(result.mistakes.size() == (row.mistake.empty() ? 0 : 1));
        if (!row.mistake.empty())
            CHECK(to_string(result.mistakes[0]) == row.mistake);
    }
}

TEST_CASE("probe handlers") {
    const Probe http = probe("{httpGet: {port: web, scheme: HTTPS, host: a, httpHeaders: [{name: X-A, value: b}]}}");
    const auto& get = std::get<HttpGet>(http.handler);
    CHECK(get.path == "/");
    CHECK(get.https);
    CHECK(std::get<std::string>(get.port) == "web");
    CHECK(get.headers == std::vector<std::pair<std::string, std::string>>{{"X-A", "b"}});
    CHECK(std::get<ExecAction>(probe("{exec: {command: [cat, /x]}}").handler).command ==
          std::vector<std::string>{"cat", "/x"});
    CHECK(std::get<GrpcAction>(probe("{grpc: {port: 9}}").handler) == GrpcAction{9, "", false});
    CHECK(std::get<GrpcAction>(probe("{grpc: {port: 9, service: a.B, mode: TLS}}").handler) ==
          GrpcAction{9, "a.B", true});
    CHECK(std::get<HttpGet>(probe("{httpGet: {port: 80, protocol: HTTP2}}").handler).h2);
    CHECK_FALSE(std::get<HttpGet>(probe("{httpGet: {port: 80, protocol: HTTP1}}").handler).h2);
    const auto pod = decoded<Pod>(
        "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: main, env: [{name: FILE, value: "
        "/x}, {name: OTHER, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], livenessProbe: {exec: {command: "
        "[cat, '$(FILE)$(OTHER)', '$(NONE)']}}}]}}");
    CHECK(std::get<ExecAction>(pod.containers[0].liveness->handler).command ==
          std::vector<std::string>{"cat", "/x", "$(NONE)"});
}

TEST_CASE("sidecars are containers, ordinary init containers are not") {
    const auto pod = decoded<Pod>(
        "{apiVersion: v1, kind: Pod, metadata: {name: web, deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: "
        "{containers:"
        " [{name: main}], initContainers: [{name: once}, {name: side, restartPolicy: Always, startupProbe: {tcpSocket:"
        " {port: 1}}}]}, status: {podIP: 10.1.0.5, phase: Running, conditions: [{type: Ready, status: 'True'}]}}");
    REQUIRE(pod.containers.size() == 2);
    CHECK(pod.containers[1].name == "side");
    CHECK(pod.terminating);
    CHECK(pod.phase == PodPhase::running);
    CHECK(pod.conditions.at("Ready"));
    CHECK(pod.ips.size() == 1);
}

TEST_CASE("hints and a node's zone") {
    const auto slice = decoded<EndpointSlice>(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, labels: "
        "{kubernetes.io/service-name: web}}, addressType: IPv4, endpoints: [{addresses: [10.1.0.1],"
        " hints: {forZones: [{name: a}, {name: b}], forNodes: [{name: n1}]}}]}");
    CHECK(*slice.endpoints[0].hints ==
          std::vector<Hint>{{Hint::Scope::zone, "a"}, {Hint::Scope::zone, "b"}, {Hint::Scope::node, "n1"}});
    CHECK(decoded<Node>("{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {topology.kubernetes.io/zone: a}}}")
              .zone == "a");
}

TEST_CASE("a Node's addresses, internal ones first, and whether it is about to go") {
    const std::string head = "{apiVersion: v1, kind: Node, metadata: {name: n1";
    const auto node = decoded<Node>(head +
                                    "}, status: {addresses: [{type: ExternalIP, address: 203.0.113.1}, {type: Hostname,"
                                    " address: n1}, {type: InternalIP, address: 192.168.50.10}]}}");
    CHECK(node.addresses ==
          std::vector<Address>{base::make_address("192.168.50.10"), base::make_address("203.0.113.1")});
    CHECK_FALSE(node.leaving);
    CHECK(decoded<Node>(head + "}, spec: {taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]}}")
              .leaving);
    CHECK_FALSE(decoded<Node>(head + "}, spec: {taints: [{key: other, effect: NoSchedule}]}}").leaving);
    CHECK(decoded<Node>(head + ", deletionTimestamp: '2026-01-01T00:00:00Z'}}").leaving);
}

TEST_CASE("a Node's pod networks, of the list or of the older field") {
    struct Row {
        const char* spec;
        const char* networks;
    };
    const auto row = GENERATE(values<Row>(
        {{"{}", ""},
         {"{podCIDR: 10.244.1.0/24}", "10.244.1.0/24 "},
         {"{podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24, 'fd00:1::/64']}", "10.244.1.0/24 fd00:1::/64 "},
         {"{podCIDRs: ['fd00:1::/64']}", "fd00:1::/64 "},
         {"{podCIDR: 10.244.1.0/24, podCIDRs: [10.244.2.0/24]}", "10.244.1.0/24 "}}));
    CAPTURE(row.spec);
    std::string networks;
    for (const base::Prefix& network :
         decoded<Node>("{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: " + std::string(row.spec) + "}")
             .pod_cidrs)
        networks += network.address.to_string() + "/" + std::to_string(network.length) + " ";
    CHECK(networks == row.networks);
}

TEST_CASE("in a manifest a ServiceCIDR is a kind that is not used") {
    const auto documents = parse_yaml(
        "{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: a}, spec: {cidrs: [10.0.0.0/8]}}");
    const Decoded manifest = decode(Value(&documents->front().value));
    CHECK(manifest.other == "ServiceCIDR.networking.k8s.io");
    CHECK(manifest.objects.empty());
    const Decoded served = decode(Value(&documents->front().value), {}, Strictness::server);
    REQUIRE(served.objects.size() == 1);
    CHECK(served.name == ObjectName{"", "a"});
}

TEST_CASE("a range that a server has let pass and that is none harms none beside it") {
    const auto documents = parse_yaml(
        "{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: a}, spec: {cidrs: [10.0.0.0/8, x]}}");
    const Decoded served = decode(Value(&documents->front().value), {}, Strictness::server);
    REQUIRE(served.objects.size() == 1);
    CHECK(std::get<ServiceCidr>(served.objects[0]).cidrs.size() == 1);
    CHECK(served.mistakes.size() == 1);
}

TEST_CASE("absent conditions of an endpoint are read as kube-proxy reads them") {
    const auto slice = decoded<EndpointSlice>(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, labels: "
        "{kubernetes.io/service-name:"
        " web}}, addressType: IPv4, endpoints: [{addresses: [10.1.0.1]}, {addresses: [10.1.0.2], conditions: {ready:"
        " false}}, {addresses: [10.1.0.3], conditions: {ready: false, serving: true, terminating: true}}]}");
    CHECK(slice.service == "web");
    REQUIRE(slice.endpoints.size() == 3);
    CHECK((slice.endpoints[0].ready && slice.endpoints[0].serving && !slice.endpoints[0].terminating));
    CHECK((!slice.endpoints[1].ready && slice.endpoints[1].serving));
    CHECK((slice.endpoints[2].serving && slice.endpoints[2].terminating));
}

TEST_CASE("a slice's port without a number is not served, and harms none beside it") {
    for (const char* port : {"{name: any}", "{name: any, port: 0}", "{name: any, port: ~}"}) {
        const auto slice = decoded<EndpointSlice>(
            std::string("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4,"
                        " ports: [") +
            port + ", {name: http, port: 8080}], endpoints: [{addresses: [10.1.0.1]}]}");
        CHECK(slice.ports == std::vector<EndpointPort>{{"http", Protocol::tcp, 8080}});
        CHECK(slice.endpoints.size() == 1);
        CHECK(slice.service.empty());
    }
}

TEST_CASE("an Endpoints object becomes one slice per subset and family") {
    const auto documents = parse_yaml(
        "{apiVersion: v1, kind: Endpoints, metadata: {name: web}, subsets: [{addresses: [{ip: 10.1.0.1}, {ip: "
        "'fd00::1'}],"
        " notReadyAddresses: [{ip: 10.1.0.2}], ports: [{port: 80}]}]}");
    const Decoded result = decode(Value(&documents->front().value));
    REQUIRE(result.objects.size() == 2);
    const auto& v4 = std::get<EndpointSlice>(result.objects[0]);
    CHECK(v4.name.name == "web:0:IPv4");
    CHECK(v4.service == "web");
    CHECK(v4.endpoints.size() == 2);
    CHECK_FALSE(v4.endpoints[1].ready);
}

TEST_CASE("names have the forms that Kubernetes wants") {
    struct Row {
        std::string (*check)(std::string_view);
        const char* name;
        bool good;
    };
    const auto row = GENERATE(values<Row>({
        {check_dns_label, "a-1", true},
        {check_dns_label, "1a", true},
        {check_dns_label, "-a", false},
        {check_dns_label, "a.b", false},
        {check_dns_label, "", false},
        {check_dns_subdomain, "a.b-c.d", true},
        {check_dns_subdomain, "a..b", false},
        {check_dns_subdomain, "A.b", false},
        {check_port_name, "http", true},
        {check_port_name, "123", false},
        {check_port_name, "a--b", false},
        {check_port_name, "sixteen-letters-", false},
        {check_label_key, "app.kubernetes.io/name", true},
        {check_label_key, "/name", false},
        {check_label_key, "a/b/c", false},
        {check_label_value, "", true},
        {check_label_value, "v1.2_3-x", true},
        {check_label_value, "-x", false},
    }));
    CAPTURE(row.name);
    CHECK(row.check(row.name).empty() == row.good);
}

TEST_CASE("a special external IP is a manifest's mistake; of a server's Service it is for the planner to refuse") {
    const std::string text = service_head +
                             "{clusterIP: 10.96.0.5, externalIPs: [203.0.113.7, 127.0.0.1, '::ffff:169.254.169.254']," +
                             " ports: [{port: 80}]}}";
    const auto documents = parse_yaml(text);
    REQUIRE(documents);
    const Value value(&documents->front().value);
    CHECK(decode(value).objects.empty());
    const Decoded decoded = decode(value, {}, Strictness::server);
    REQUIRE(decoded.objects.size() == 1);
    CHECK(decoded.mistakes.empty());
    const auto& ips = std::get<Service>(decoded.objects[0]).external_ips;
    REQUIRE(ips.size() == 3);
    CHECK(ips[1].to_string() == "127.0.0.1");
    CHECK(ips[2].to_string() == "169.254.169.254");
}
