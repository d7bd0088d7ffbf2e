// Kubeconfigs: what client-go's clientcmd makes of them, and what is said of those that cannot be used.
#include "api/cluster/kubeconfig.hpp"

#include <catch2/catch.hpp>

#include "api/cluster/secrets.hpp"

using namespace api;

namespace {

const std::string ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/// One cluster and one user, their fields given in YAML's flow style: "server: https://a, proxy-url: b".
std::string kubeconfig(const std::string& cluster, const std::string& user) {
    return "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
           "contexts:\n- name: here\n  context: {cluster: c, user: u}\n"
           "clusters:\n- name: c\n  cluster: {" +
           cluster + "}\nusers:\n- name: u\n  user: {" + user + "}\n";
}

Access access_of(const std::string& cluster, const std::string& user) {
    const auto access = parse_kubeconfig(kubeconfig(cluster, user), "/etc/kube/config");
    INFO((access ? "" : access.error()));
    REQUIRE(access);
    return *access;
}

const std::string server = "server: https://10.0.0.1:6443";

}  // namespace

TEST_CASE("a kubeconfig names a server and says who asks") {
    const std::string data = base64(ca);
    const Access access = access_of(server + ", tls-server-name: kube, certificate-authority-data: " + data,
                                    "client-certificate-data: " + data + ", client-key-data: " + data);
    Access expected;
    expected.servers = {"https://10.0.0.1:6443"};
    expected.tls_server_name = "kube";
    expected.ca_pem = expected.client_certificate_pem = expected.client_key_pem = ca;
    CHECK(access == expected);
}

TEST_CASE("a server's port is written, and its path is kept") {
    CHECK(access_of("server: 'https://api.example'", "").servers[0] == "https://api.example:443");
    CHECK(access_of("server: 'https://[fd00::1]:6443/'", "").servers[0] == "https://[fd00::1]:6443");
    CHECK(access_of("server: 'https://r.example/k8s/clusters/c-1'", "").servers[0] ==
          "https://r.example:443/k8s/clusters/c-1");
    CHECK(access_of("server: 'http://localhost:8001'", "").servers[0] == "http://localhost:8001");
    CHECK(access_of("server: 'HTTPS://192.0.2.10:6443'", "").servers[0] == "https://192.0.2.10:6443");
}

TEST_CASE("a kubeconfig is read as client-go reads it") {
    const std::string text = kubeconfig(server, "token: abc");
    Access expected;
    expected.servers = {"https://10.0.0.1:6443"};
    expected.token = "abc";
    const auto variant = GENERATE_COPY(values<std::string>({
        text,
        "%YAML 1.1\n--- # one\n" + text,
        text + "---\nsecond: document\n",  // of which client-go knows nothing
        "\xef\xbb\xbf" + text,
        "x: &c {server: 'https://10.0.0.1:6443'}\n" + kubeconfig("<<: *c", "token: abc"),
    }));
    CAPTURE(variant);
    const auto access = parse_kubeconfig(variant, "config");
    INFO((access ? "" : access.error()));
    REQUIRE(access);
    CHECK(*access == expected);
}

TEST_CASE("files are looked for beside the kubeconfig, and data win over them") {
    struct Row {
        std::string cluster;
        std::string user;
        std::string Access::* member;
        std::string expected;
    };
    const std::string both = "certificate-authority: ca.crt, certificate-authority-data: " + base64(ca);
    const auto row = GENERATE_COPY(values<Row>({
        {"certificate-authority: pki/ca.crt", "", &Access::ca_file, "/etc/kube/pki/ca.crt"},
        {"certificate-authority: ../ca.crt", "", &Access::ca_file, "/etc/ca.crt"},
        {"certificate-authority: /ca.crt", "", &Access::ca_file, "/ca.crt"},
        {both, "", &Access::ca_file, ""},
        {both, "", &Access::ca_pem, ca},
        {"", "tokenFile: token", &Access::token_file, "/etc/kube/token"},
        {"", "tokenFile: token, token: abc", &Access::token, ""},
        {"", "token: ' abc\n'", &Access::token, "abc"},
        {"", "client-certificate: a.crt, client-key: a.key", &Access::client_certificate_file, "/etc/kube/a.crt"},
        {"", "client-certificate: a.crt, client-key: a.key", &Access::client_key_file, "/etc/kube/a.key"},
    }));
    CAPTURE(row.cluster, row.user);
    CHECK(access_of(server + (row.cluster.empty() ? "" : ", ") + row.cluster, row.user).*row.member == row.expected);
}

TEST_CASE("the context may be another one than the current one") {
    const std::string yaml =
        "current-context: a\n"
        "contexts: [{name: a, context: {cluster: a, user: a}}, {name: b, context: {cluster: b}}]\n"
        "clusters: [{name: a, cluster: {server: 'https://a'}}, {name: b, cluster: {server: 'https://b'}}]\n"
        "users: [{name: a, user: {token: t}}]\n";
    CHECK(parse_kubeconfig(yaml, "k")->servers[0] == "https://a:443");
    CHECK(parse_kubeconfig(yaml, "k")->token == "t");
    CHECK(parse_kubeconfig(yaml, "k", "b")->servers[0] == "https://b:443");
    CHECK(parse_kubeconfig(yaml, "k", "b")->token.empty());
}

TEST_CASE("what podferry does not know, and what it does not use, is ignored") {
    const std::string yaml =
        kubeconfig(server + ", disable-compression: true, extensions: [{name: x, extension: {a: 1}}]",
                   "token: t, as: '', auth-provider: null") +
        "- name: other\n  user: {username: admin}\npreferences: {colors: true}\n";
    CHECK(parse_kubeconfig(yaml, "k")->token == "t");
}

TEST_CASE("JSON is YAML") {
    const auto access = parse_kubeconfig(
        R"({"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "a"}}],
            "clusters": [{"name": "a", "cluster": {"server": "https://a"}}]})",
        "k");
    REQUIRE(access);
    CHECK(access->servers[0] == "https://a:443");
}

TEST_CASE("an exec plugin is read") {
    const std::string exec =
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, args: [get, token], "
        "env: [{name: A, value: b}], interactiveMode: Never, provideClusterInfo: true, installHint: get it}";
    const Access access =
        access_of(server + ", extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]", exec);
    ExecPlugin expected;
    expected.command = "/etc/kube/bin/login";
    expected.args = {"get", "token"};
    expected.env = {{"A", "b"}};
    expected.api_version = "client.authentication.k8s.io/v1";
    expected.provide_cluster_info = true;
    expected.install_hint = "get it";
    CHECK(access.exec == expected);
    CHECK(access.exec_config == R"({"audience":"x"})");
    // As client-go: not beside a token.
    CHECK_FALSE(access_of(server, exec + ", token: t").exec);
    // A name is looked for in PATH; v1beta1 may leave the mode out.
    const Access old = access_of(server, "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: login}");
    CHECK(old.exec->command == "login");
}

TEST_CASE("what cannot be used of a kubeconfig is refused, with its place") {
    struct Row {
        std::string cluster;
        std::string user;
        std::string expected;  ///< the whole error after "k:LINE: "
    };
    const std::string exec = "exec: {command: login, apiVersion: client.authentication.k8s.io/";
    const std::string cluster_at = "k:9: clusters[0].cluster";
    const std::string user_at = "k:12: users[0].user";
    const std::string basic =
        ": basic authentication was removed from Kubernetes; use a client certificate, a token or exec";
    const std::string impersonate =
        ": podferry does not impersonate; remove it, and give this user the rights themselves";
    const auto row = GENERATE_COPY(values<Row>({
        {"", "", cluster_at + ".server: missing; write https://HOST:PORT"},
        {"server: 10.0.0.1", "", cluster_at + ".server: '10.0.0.1' is no URL; write https://HOST:PORT"},
        {"server: 'http://10.0.0.1'", "",
         cluster_at + ".server: 'http://10.0.0.1' would send the token in clear; http is only for a loopback address"},
        {"server: 7", "", cluster_at + ".server: must be a string, not 7; put it in quotes"},
        {server + ", proxy-url: 'http://p'", "",
         cluster_at + ".proxy-url: podferry connects directly; remove it or use --api-server"},
        {server + ", insecure-skip-tls-verify: true, certificate-authority: ca.crt", "",
         cluster_at + ".insecure-skip-tls-verify: true, and a certificate authority is given as well; remove one of "
                      "the two"},
        {server + ", certificate-authority-data: '%'", "",
         cluster_at + ".certificate-authority-data: is not base64; was all of it copied? (`base64 -w0 FILE` makes it)"},
        {server + ", certificate-authority-data: Zm9v", "",
         cluster_at + ".certificate-authority-data: holds no PEM (-----BEGIN ...)"},
        {server, "username: admin", user_at + ".username" + basic},
        {server, "password: x", user_at + ".password" + basic},
        {server, "as: root", user_at + ".as" + impersonate},
        {server, "as-groups: [g]", user_at + ".as-groups" + impersonate},
        {server, "auth-provider: {name: oidc}",
         user_at + ".auth-provider: authentication providers are not supported; use exec with the provider's plugin"},
        {server, "client-certificate: a",
         user_at + ": client-certificate is given without client-key; a client certificate needs its key"},
        {server, "client-key: a",
         user_at + ": client-key is given without client-certificate; add it, or remove the key"},
        {server, "token: 12345", user_at + ".token: must be a text; put it in quotes"},
        {server, "token: a b",
         user_at + ".token: a token holds no blanks, line breaks or letters outside ASCII; was all of it copied?"},
        {server, exec + "v1}", user_at + ".exec.interactiveMode: missing; write Never, or IfAvailable"},
        {server, exec + "v1, interactiveMode: Always}",
         user_at + ".exec.interactiveMode: Always needs a terminal, and podferry has none; use a plugin that can do "
                   "without (Never)"},
        {server, exec + "v1, interactiveMode: Often}",
         user_at + ".exec.interactiveMode: 'Often' is not one of Never, IfAvailable, Always"},
        {server, exec + "v1alpha1, interactiveMode: Never}",
         user_at + ".exec.apiVersion: 'client.authentication.k8s.io/v1alpha1' is not supported; write "
                   "client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1, whichever the plugin "
                   "speaks"},
        {server, "exec: {apiVersion: client.authentication.k8s.io/v1beta1}",
         user_at + ".exec.command: missing; it is the program that prints the credentials"},
        {server, exec + "v1beta1, env: [{value: x}]}",
         user_at + ".exec.env[0].name: missing; every variable needs a name"},
        {server, "exec: login", user_at + ".exec: must be an object, not the string 'login'"},
        {server, "token: a, token: b", user_at + ".token: duplicate key"},
    }));
    CAPTURE(row.cluster, row.user);
    const auto access = parse_kubeconfig(kubeconfig(row.cluster, row.user), "k");
    REQUIRE_FALSE(access);
    CHECK(access.error() == row.expected + "\n");
}

TEST_CASE("names that lead nowhere are said with the names that exist") {
    struct Row {
        const char* yaml;
        const char* context;
        const char* expected;
    };
    const auto row = GENERATE(values<Row>({
        {"kind: Config\n", "",
         "k:1: current-context: missing; it says which of the contexts to use (`kubectl config use-context NAME`)\n"},
        {"current-context: a\n", "", "k:1: current-context: no context is named 'a'; there are none\n"},
        {"current-context: a\ncontexts: [{name: b}, {name: c}]\n", "",
         "k:1: current-context: no context is named 'a'; there are: b, c\n"},
        {"current-context: b\ncontexts: [{name: b}, {name: c}]\n", "a",
         "k:2: contexts: no context is named 'a'; there are: b, c\n"},
        {"current-context: a\ncontexts:\n- {name: a, context: {user: u}}\nusers: [{name: u}]\n", "",
         "k:3: contexts[0].context.cluster: missing; a context names one of the clusters\n"},
        {"current-context: a\ncontexts:\n- {name: a, context: {cluster: x}}\nclusters: [{name: z}]\n", "",
         "k:3: contexts[0].context.cluster: no cluster is named 'x'; there are: z\n"},
        {"current-context: a\ncontexts:\n- {name: a, context: {cluster: x, user: v}}\n"
         "clusters: [{name: x, cluster: {server: 'https://a'}}]\nusers: [{name: u}]\n",
         "", "k:3: contexts[0].context.user: no user is named 'v'; there are: u\n"},
        {"current-context: a\ncontexts:\n- {name: a, context: {cluster: x}}\nclusters:\n"
         "- {name: x, cluster: {server: 'https://a'}}\n- {name: x, cluster: {server: 'https://b'}}\n",
         "", "k:6: clusters[1].name: 'x' is given twice; remove one of them\n"},
        {"kind: Pod\ncurrent-context: a\n", "",
         "k:1: kind: 'Pod' is not Config; is this file a kubeconfig?\n"
         "k:2: current-context: no context is named 'a'; there are none\n"},
        {"", "", "k:1: the file is empty\n"},
        {"- a\n", "", "k:1: must be a mapping of fields to values\n"},
        {"a: 1\n---\nb: 1\n", "",
         "k:1: current-context: missing; it says which of the contexts to use (`kubectl config use-context NAME`)\n"},
    }));
    CAPTURE(row.yaml);
    const auto access = parse_kubeconfig(row.yaml, "k", row.context);
    REQUIRE_FALSE(access);
    CHECK(access.error() == row.expected);
}

TEST_CASE("no mistake repeats a secret") {
    const auto access = parse_kubeconfig(kubeconfig(server,
                                                    "token: [s3cret], client-key-data: s3cret, password: s3cret, "
                                                    "exec: {command: a, apiVersion: b, args: [{s3cret: 1}]}"),
                                         "k");
    REQUIRE_FALSE(access);
    CHECK_THAT(access.error(), !Catch::Contains("s3cret"));
}
