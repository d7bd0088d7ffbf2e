// Credential plugins: what they print, what they are told, and the times in it.
#include "api/cluster/exec_credential.hpp"

#include <catch2/catch.hpp>

#include "api/cluster/secrets.hpp"
#include "base/rfc3339.hpp"

using namespace api;

namespace {

const std::string v1 = "client.authentication.k8s.io/v1";

std::string printed(const std::string& status) {
    return R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":)" + status + "}";
}

}  // namespace

TEST_CASE("a plugin's token and certificate are read") {
    const auto credential = parse_exec_credential(
        printed(R"({"token":"t","clientCertificateData":"-----BEGIN CERTIFICATE-----\n",)"
                R"("clientKeyData":"-----BEGIN PRIVATE KEY-----\n","expirationTimestamp":"1970-01-01T00:01:00Z"})"),
        v1);
    REQUIRE(credential);
    CHECK(credential->token == "t");
    CHECK(credential->client_certificate_pem == "-----BEGIN CERTIFICATE-----\n");
    CHECK(credential->client_key_pem == "-----BEGIN PRIVATE KEY-----\n");
    CHECK(credential->expires == std::chrono::system_clock::time_point(std::chrono::minutes(1)));
    CHECK_FALSE(parse_exec_credential(printed(R"({"token":"t"})"), v1)->expires);
}

TEST_CASE("a plugin's mistake is said without its secrets") {
    struct Row {
        std::string text;
        const char* expected;
    };
    const std::string kind = R"({"kind":"ExecCredential",)";
    const auto row = GENERATE_COPY(values<Row>({
        {"", "the plugin printed no JSON (incomplete JSON); run it by hand to see what it prints"},
        {"s3cret", "the plugin printed no JSON (syntax error); run it by hand to see what it prints"},
        {"[]", "the plugin printed no JSON object; run it by hand to see what it prints"},
        {R"({"kind":"Pod","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"s3cret"}})",
         "kind: 'Pod'; the plugin must print an ExecCredential"},
        {kind + R"("apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"s3cret"}})",
         "apiVersion: 'client.authentication.k8s.io/v1beta1'; the kubeconfig's exec.apiVersion is "
         "client.authentication.k8s.io/v1, make the two the same"},
        {printed("null"), "status: missing; the plugin printed no credentials"},
        {printed("{}"), "status: has neither a token nor a certificate"},
        {printed(R"({"token":"t","clientKeyData":"-----BEGIN s3cret"})"),
         "status: has a certificate without its key, or a key without its certificate"},
        {printed(R"({"token":["s3cret"]})"), "status.token: must be a text; put it in quotes"},
        {printed(R"({"token":"s3c\nret"})"),
         "status.token: a token holds no blanks, line breaks or letters outside ASCII; was all of it copied?"},
        {printed(R"({"clientCertificateData":"s3cret","clientKeyData":"s3cret"})"),
         "status.clientCertificateData: holds no PEM (-----BEGIN ...); status.clientKeyData: holds no PEM (-----BEGIN "
         "...)"},
        {printed(R"({"token":"s3cret","expirationTimestamp":"tomorrow"})"),
         "status.expirationTimestamp: 'tomorrow' is not a time such as 2026-01-31T12:00:00Z"},
    }));
    CAPTURE(row.text);
    const auto credential = parse_exec_credential(row.text, v1);
    REQUIRE_FALSE(credential);
    CHECK(credential.error() == row.expected);
}

TEST_CASE("a plugin is told about the cluster when it wants to be") {
    ExecPlugin plugin;
    plugin.api_version = v1;
    Access access;
    access.servers = {"https://a:443"};
    access.ca_pem = "-----BEGIN ";
    access.tls_server_name = "kube";
    access.exec_config = R"({"audience":"x"})";
    CHECK(exec_info(plugin, access) ==
          R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
    plugin.provide_cluster_info = true;
    CHECK(exec_info(plugin, access) ==
          R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":)"
          R"({"server":"https://a:443","tls-server-name":"kube","certificate-authority-data":"LS0tLS1CRUdJTiA=",)"
          R"("config":{"audience":"x"}},"interactive":false}})");
}

TEST_CASE("base64 is RFC 4648's") {
    struct Row {
        const char* bytes;
        const char* text;
    };
    const auto row = GENERATE(values<Row>({
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
    }));
    CHECK(base64(row.bytes) == row.text);
}

TEST_CASE("base64 of PEM is read as Go reads it") {
    struct Row {
        const char* text;
        const char* pem;  ///< nothing: refused
    };
    const auto row = GENERATE(values<Row>({
        {"LS0tLS1CRUdJTiBBLS0tLS0K", "-----BEGIN A-----\n"},
        {"LS0tLS1CRUdJ\nTiBBLS0tLS0K\r\n", "-----BEGIN A-----\n"},
        {"LS0tLS1CRUdJTiA=", "-----BEGIN "},
        {"LS0tLS1CRUdJTiA", nullptr},     // no padding
        {"LS0tLS1CRUdJ TiA=", nullptr},   // a blank
        {"LS0tLS1C=UdJTiA=", nullptr},    // padding inside
        {"LS0tLS1CRUdJTi====", nullptr},  // too much of it
        {"LS0tLS1CRUdJTiBBLS0tLS0KA===", nullptr},
        {"LS0tLS1CRUdJ_iA=", nullptr},  // another alphabet
        {"====", nullptr},
    }));
    CAPTURE(row.text);
    std::vector<Mistake> mistakes;
    const boost::json::value value = row.text;
    const std::string pem = pem_in_base64(Field(&value, mistakes));
    CHECK(mistakes.empty() == (row.pem != nullptr));
    CHECK(pem == (row.pem == nullptr ? "" : row.pem));
}

TEST_CASE("a moment is written as RFC 3339 says, the impossible as the nearest possible one") {
    struct Row {
        std::int64_t seconds;
        const char* text;
    };
    const auto row = GENERATE(values<Row>({{0, "1970-01-01T00:00:00Z"},
                                           {1'700'000'000, "2023-11-14T22:13:20Z"},
                                           {-1, "1969-12-31T23:59:59Z"},
                                           {25'149'651'947, "2766-12-17T22:25:47Z"},
                                           {std::numeric_limits<std::int64_t>::min(), "0001-01-01T00:00:00Z"},
                                           {std::numeric_limits<std::int64_t>::max(), "9999-12-31T23:59:59Z"}}));
    CHECK(base::to_rfc3339(std::chrono::sys_seconds(std::chrono::seconds(row.seconds))) == row.text);
}

TEST_CASE("times are RFC 3339's") {
    using namespace std::chrono;
    struct Row {
        const char* text;
        std::optional<nanoseconds> since_1970;
    };
    const auto row = GENERATE(values<Row>({
        {"1970-01-01T00:00:00Z", 0s},
        {"2026-01-31T12:00:00Z", 1769860800s},
        {"2024-02-29T23:59:59Z", 1709251199s},
        {"1970-01-01T01:00:00+01:00", 0s},
        {"1969-12-31T23:30:00-00:30", 0s},
        {"1970-01-01T00:00:00.25Z", 250ms},
        {"1970-01-01T00:00:00.0000000019Z", 1ns},
        {"9999-12-31T23:59:59Z", nanoseconds::max()},
        {"0000-01-01T00:00:00Z", nanoseconds::min()},
        {"2025-02-29T00:00:00Z", {}},
        {"2026-13-01T00:00:00Z", {}},
        {"2026-01-01T24:00:00Z", {}},
        {"2026-01-01T00:00:60Z", {}},
        {"2026-01-01T00:00:00", {}},
        {"2026-01-01 00:00:00Z", {}},
        {"2026-01-01T00:00:00.Z", {}},
        {"2026-01-01T00:00:00+0100", {}},
        {"2026-01-01T00:00:00Z ", {}},
        {"2026-1-1T00:00:00Z", {}},
        {"+026-01-01T00:00:00Z", {}},
        {"", {}},
    }));
    CAPTURE(row.text);
    const auto time = base::parse_rfc3339(row.text);
    REQUIRE(time.has_value() == row.since_1970.has_value());
    if (time)
        CHECK(time->time_since_epoch() == *row.since_1970);
}
