#include "proxy/config/kubeadm_ranges.hpp"

#include <catch2/catch.hpp>

#include "proxy/config/setting_values.hpp"

namespace proxy {
namespace {

using Texts = std::vector<std::string>;

std::vector<base::Prefix> prefixes(const Texts& texts) {
    std::vector<base::Prefix> result;
    for (const std::string& text : texts)
        result.push_back(base::parse_prefix(text).value());
    return result;
}

std::string cluster_configuration(const std::string& networking) {
    return "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nclusterName: kubernetes\n"
           "controlPlaneEndpoint: cp.example.org:6443\nnetworking:" +
           networking + "\n";
}

struct Reading {
    std::string networking;
    Texts services;
    Texts pods;
};

TEST_CASE("kubeadm's ranges are read") {
    const auto [networking, services, pods] = GENERATE(values<Reading>({
        {" {dnsDomain: cluster.local, serviceSubnet: 10.96.0.0/12, podSubnet: 10.244.0.0/16}",
         {"10.96.0.0/12"},
         {"10.244.0.0/16"}},
        {" {serviceSubnet: '10.96.0.0/16,fd00:96::/112'}", {"10.96.0.0/16", "fd00:96::/112"}, {}},
        {" {podSubnet: \"\"}", {}, {}},
        {" {}", {}, {}},
        {"", {}, {}},
    }));
    const auto ranges = read_kubeadm_ranges(cluster_configuration(networking), "f");
    REQUIRE(ranges);
    CHECK(*ranges == KubeadmRanges{prefixes(services), prefixes(pods)});
}

TEST_CASE("what is no ClusterConfiguration, or no range, is a mistake that names file, line and field") {
    const auto [text, error] = GENERATE(table<std::string, std::string>({
        {"kind: KubeProxyConfiguration\n", "f:1: kind: 'KubeProxyConfiguration'; it must be ClusterConfiguration"},
        {cluster_configuration("\n  serviceSubnet: 10.96.0.0"), "f:6: networking.serviceSubnet: "},
        {cluster_configuration(" {podSubnet: '10.1.0.0/16,10.2.0.0/16'}"),
         "f:5: networking.podSubnet: takes at most one"},
        {cluster_configuration(" {podSubnet: [10.1.0.0/16]}"), "f:5: networking.podSubnet: "},
        {"{", "f:"},
    }));
    const auto ranges = read_kubeadm_ranges(text, "f");
    REQUIRE_FALSE(ranges);
    INFO(ranges.error());
    CHECK(ranges.error().starts_with(error));
}

struct Choice {
    Texts given;
    Texts kubeadm;
    Texts wanted;
    std::string line;
    std::string warning;
};

TEST_CASE("a range that is given holds, else kubeadm's; where they differ both are named") {
    const auto [given, kubeadm, wanted, line, warning] = GENERATE(values<Choice>({
        {{}, {}, {}, "", ""},
        {{},
         {"10.96.0.0/12"},
         {"10.96.0.0/12"},
         "service_cluster_ip_range: [\"10.96.0.0/12\"], of f, networking.serviceSubnet",
         ""},
        {{"10.96.0.0/12"}, {}, {"10.96.0.0/12"}, "", ""},
        {{"10.96.0.0/12"}, {"10.96.0.0/12"}, {"10.96.0.0/12"}, "", ""},
        {{"10.97.0.0/16"},
         {"10.96.0.0/12"},
         {"10.97.0.0/16"},
         "",
         "service_cluster_ip_range is [\"10.97.0.0/16\"], but f, networking.serviceSubnet says [\"10.96.0.0/12\"]: the "
         "setting "
         "holds; is it that cluster's?"},
    }));
    Config config;
    config.service_cluster_ip_range = prefixes(given);
    const RangeChoice choice = choose_ranges(config, {prefixes(kubeadm), {}}, "f");
    CHECK(choice.config.service_cluster_ip_range == prefixes(wanted));
    CHECK(choice.config.network_cidr.empty());
    CHECK(choice.lines == (line.empty() ? Texts() : Texts{line}));
    CHECK(choice.warnings == (warning.empty() ? Texts() : Texts{warning}));
    const RangeChoice of_pods = choose_ranges({}, {{}, prefixes({"10.1.0.0/16"})}, "f");
    CHECK(of_pods.config.network_cidr == prefixes({"10.1.0.0/16"}));
}

}  // namespace
}  // namespace proxy
