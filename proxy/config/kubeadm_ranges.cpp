#include "proxy/config/kubeadm_ranges.hpp"

#include <fmt/format.h>

#include "api/wire/single_document.hpp"
#include "proxy/config/setting_values.hpp"

namespace proxy {
namespace {

using Ranges = std::vector<base::Prefix>;

/// A list with commas, as kubeadm has it.
Ranges ranges_of(const api::Field& field) {
    Ranges ranges;
    if (const std::string wrong = read_prefixes(ranges, {field.text()}); !wrong.empty())
        field.wrong(wrong);
    return ranges;
}

/// The order of the families means something: the first one is the primary.
void choose(RangeChoice& choice, Ranges Config::* setting, std::string_view name, const Ranges& kubeadm,
            const std::string& from) {
    if (kubeadm.empty())
        return;
    Ranges& given = choice.config.*setting;
    if (given.empty()) {
        given = kubeadm;
        choice.lines.push_back(fmt::format("{}: {}, of {}", name, print_prefixes(kubeadm), from));
    } else if (given != kubeadm) {
        choice.warnings.push_back(fmt::format("{} is {}, but {} says {}: the setting holds; is it that cluster's?",
                                              name, print_prefixes(given), from, print_prefixes(kubeadm)));
    }
}

}  // namespace

tl::expected<KubeadmRanges, std::string> read_kubeadm_ranges(std::string_view yaml, const std::string& file) {
    const auto document = api::parse_single_document(yaml, file);
    if (!document)
        return tl::unexpected(document.error());
    std::vector<api::Mistake> mistakes = document->mistakes;
    const api::Field root(&document->value, mistakes);
    const api::Field kind = root["kind"];
    if (const std::string text = kind.text(); text != "ClusterConfiguration")
        kind.wrong((text.empty() ? "missing" : "'" + text + "'") +
                   "; it must be ClusterConfiguration (ConfigMap kubeadm-config, key ClusterConfiguration)");
    const api::Field networking = root["networking"];
    const api::Field services = networking["serviceSubnet"];
    const api::Field pods = networking["podSubnet"];
    KubeadmRanges ranges{ranges_of(services), ranges_of(pods)};
    if (!mistakes.empty())
        return tl::unexpected(api::describe(mistakes, *document, file));
    return ranges;
}

RangeChoice choose_ranges(Config given, const KubeadmRanges& kubeadm, const std::string& file) {
    RangeChoice choice{std::move(given), {}, {}};
    choose(choice, &Config::service_cluster_ip_range, "service_cluster_ip_range", kubeadm.services,
           file + ", networking.serviceSubnet");
    choose(choice, &Config::network_cidr, "network_cidr", kubeadm.pods, file + ", networking.podSubnet");
    return choice;
}

}  // namespace proxy
