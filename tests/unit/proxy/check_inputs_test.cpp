// --check-config reads what podferry would read: the folder of manifests, or the kubeconfig and the files that it
// names.
#include "proxy/node/check_inputs.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace proxy;
namespace fs = std::filesystem;

namespace {

struct Inputs {
    fs::path path;
    Inputs() {
        std::string name = (fs::temp_directory_path() / "podferry-check-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Inputs() { fs::remove_all(path); }
    Inputs(const Inputs&) = delete;
    Inputs& operator=(const Inputs&) = delete;
    void write(const std::string& name, const std::string& text) const { std::ofstream(path / name) << text; }
    std::string file(const std::string& name) const { return (path / name).string(); }
};

std::string lines(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts)
        all += text + "\n";
    return all;
}

Config with_kubeconfig(const std::string& path) {
    Config config = default_config();
    config.kubeconfig = path;
    return config;
}

}  // namespace

TEST_CASE("the mistakes of manifests are found, with file, line, object and field") {
    const Inputs place;
    place.write("a.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec:\n  clusterIP: 10.96.0.5\n"
                "  ports: [{port: 80}]\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n");
    Config config = default_config();
    config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/16")};
    CHECK(lines(check_inputs(config, place.path.string()).errors).empty());
    CHECK_THAT(lines(check_inputs(config, place.path.string()).warnings),
               Catch::Contains("1 object is of a kind that podferry does not use: 1 Deployment.apps"));
    place.write("b.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: shop}\nspec:\n  ports: [{port: 70000}]\n"
                "---\n{apiVersion: v1, kind: Service, metadata: {name: c}, spec: {clusterIP: 10.96.0.5, ports: [{port: "
                "80}]}}\n");
    const std::string errors = lines(check_inputs(config, place.path.string()).errors);
    CHECK_THAT(errors, Catch::Contains(place.file("b.yaml") +
                                       ":5: Service shop/b: spec.ports[0].port: 70000 is out of range (1..65535)"));
    CHECK_THAT(errors, Catch::Contains("10.96.0.5 is already the ClusterIP of Service shop/a"));
    CHECK_THAT(lines(check_inputs(default_config(), place.file("none")).errors), Catch::Contains("cannot be read"));
}

TEST_CASE("the mistakes of a kubeconfig are found, and files that it names and that are not there") {
    const Inputs place;
    const auto kubeconfig = [](const std::string& cluster) {
        return "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts:\n- {name: x, context: {cluster: c, user: "
               "u}}\n"
               "clusters:\n- {name: c, cluster: {" +
               cluster + "}}\nusers:\n- {name: u, user: {tokenFile: token}}\n";
    };
    place.write("good", kubeconfig("server: 'HTTPS://192.0.2.1:6443', certificate-authority: ca.pem"));
    place.write("token", "abc");
    place.write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
    CHECK(lines(check_inputs(with_kubeconfig(place.file("good")), "").errors).empty());
    fs::remove(place.path / "ca.pem");
    CHECK_THAT(lines(check_inputs(with_kubeconfig(place.file("good")), "").errors),
               Catch::Contains("good: certificate-authority: " + place.file("ca.pem") + " cannot be read"));
    place.write("bad", kubeconfig("server: 'ftp://192.0.2.1'"));
    CHECK_THAT(lines(check_inputs(with_kubeconfig(place.file("bad")), "").errors),
               Catch::Contains("bad:7: clusters[0].cluster.server: 'ftp://192.0.2.1' must begin with https://"));
    CHECK_THAT(lines(check_inputs(with_kubeconfig(place.file("none")), "").errors), Catch::Contains("cannot be read"));
    CHECK(check_inputs(default_config(), "").errors.empty());
}
