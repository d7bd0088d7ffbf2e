// Which API servers a pod asks that has no setting.
#include "proxy/sync/api_choice.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "proxy/sync/api_lookup.hpp"

using namespace proxy;

namespace {

const VirtualAddresses never{"10.96.0.1", {*base::parse_prefix("10.96.0.0/16"), *base::parse_prefix("fd00:96::/112")}};

struct Row {
    const char* what;
    std::vector<ApiCandidate> candidates;
    const char* server;  // empty: an error
    const char* words;   // of the reason
};

const Row rows[] = {
    {"the first place that has one",
     {{"kube-proxy.conf", {"https://192.0.2.1:6443"}, ""}, {"kubelet.conf", {"https://192.0.2.2:6443"}, ""}},
     "https://192.0.2.1:6443",
     "kube-proxy.conf"},
    {"what the places before it lacked is said",
     {{"kube-proxy.conf", {}, "is not there"}, {"kubelet.conf", {"https://api.example.com:6443"}, ""}},
     "https://api.example.com:6443",
     "kubelet.conf; before it, kube-proxy.conf: is not there"},
    {"never the ClusterIP of Service kubernetes",
     {{"kube-proxy.conf", {"https://10.96.0.1:443"}, ""}, {"kubelet.conf", {"https://192.0.2.2:6443"}, ""}},
     "https://192.0.2.2:6443",
     "kube-proxy.conf: https://10.96.0.1:443 is a ClusterIP, which podferry has yet to program"},
    {"nor another one",
     {{"a", {"https://[fd00:96::1]:443"}, ""}, {"b", {"https://192.0.2.2:6443"}, ""}},
     "https://192.0.2.2:6443",
     "b; before it, a: https://[fd00:96::1]:443 is a ClusterIP"},
    {"of several servers those that can be asked",
     {{"a", {"https://10.96.0.1:443", "https://192.0.2.2:6443"}, ""}},
     "https://192.0.2.2:6443",
     "a; before it"},
    {"nobody knows",
     {{"a", {}, "is not there"}, {"b", {}, "connect: Connection refused"}},
     "",
     "give setting api_servers (https://HOST:PORT; in the chart, k8sServiceHost). Looked at: a: is not there; b: "
     "connect: Connection refused"},
};

struct Folder {
    Folder() : path(std::filesystem::temp_directory_path() / ("podferry-api-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        return path / name;
    }
    std::filesystem::path path;
};

}  // namespace

TEST_CASE("the first place that names an API server is taken, and the reason says which and why") {
    for (const Row& row : rows) {
        INFO(row.what);
        const auto choice = choose_api(row.candidates, never);
        if (std::string(row.server).empty()) {
            REQUIRE_FALSE(choice);
            CHECK_THAT(choice.error(), Catch::Contains(row.words));
        } else {
            REQUIRE(choice);
            CHECK(choice->servers == std::vector<std::string>{row.server});
            CHECK_THAT(choice->why, Catch::Contains(row.words));
        }
    }
}

TEST_CASE("another program's kubeconfig gives its server; without one, those that worked before count") {
    const Folder folder;
    Config config = default_config();
    config.state_dir = folder.path;
    config.api_local_proxies = {"https://127.0.0.1:1"};  // nobody
    config.api_server_files = {
        folder.path / "absent",
        folder.write(
            "kubelet.conf",
            "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://192.0.2.7:6443'}}]\n"
            "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\nusers: [{name: u}]\n")};
    const auto from_file = look_for_api(config, folder.path / "ca.crt");
    REQUIRE(from_file);
    CHECK(from_file->servers == std::vector<std::string>{"https://192.0.2.7:6443"});
    CHECK_THAT(from_file->why, Catch::Contains("kubelet.conf; before it") && Catch::Contains("is not there"));

    config.api_server_files.clear();
    const auto nothing = look_for_api(config, folder.write("ca.crt", "no certificate"));
    REQUIRE_FALSE(nothing);
    CHECK_THAT(nothing.error(), Catch::Contains("https://127.0.0.1:1: "));
    remember_api(config.state_dir, {"https://192.0.2.7:6443", "https://192.0.2.8:6443"});
    const auto remembered = look_for_api(config, folder.path / "ca.crt");
    REQUIRE(remembered);
    CHECK(remembered->servers == std::vector<std::string>{"https://192.0.2.7:6443", "https://192.0.2.8:6443"});
}
