#include "proxy/node/kubeadm_file.hpp"

#include <algorithm>
#include <iterator>

#include "base/file.hpp"
#include "proxy/config/kubeadm_ranges.hpp"
#include "proxy/host/host.hpp"
#include "proxy/host/preflight.hpp"

namespace proxy {
namespace {

std::string in_one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

/// What keeps podferry from starting with these ranges; empty: nothing.
std::string refusal_of(const Config& config) {
    const auto errors = check_host(with_host_defaults(config)).errors;
    return errors.empty() ? "" : errors.front();
}

}  // namespace

void take_kubeadm_ranges(const std::string& path, NodeOptions& node) {
    const auto text = base::read_file(path);
    if (!text && text.error() == std::errc::no_such_file_or_directory)
        return node.first_words.push_back(path + " is not there: no ranges of kubeadm");
    const auto refuse = [&](const std::string& why) {
        node.first_warnings.push_back("no ranges of kubeadm are taken: " + in_one_line(why));
    };
    if (!text)
        return refuse(path + ": " + text.error().message());
    const auto ranges = read_kubeadm_ranges(*text, path);
    if (!ranges)
        return refuse(ranges.error());
    RangeChoice choice = choose_ranges(node.config, *ranges, path);
    std::move(choice.warnings.begin(), choice.warnings.end(), std::back_inserter(node.first_warnings));
    if (choice.lines.empty())
        return;
    if (const std::string refusal = refusal_of(choice.config); !refusal.empty() && refusal_of(node.config).empty())
        return refuse(refusal);
    node.config = std::move(choice.config);
    std::move(choice.lines.begin(), choice.lines.end(), std::back_inserter(node.first_words));
}

}  // namespace proxy
