#include "proxy/edge/edge.hpp"

#include <iostream>
#include <memory>
#include <utility>

#include "base/plain_text.hpp"
#include "proxy/edge/edge_plan.hpp"
#include "proxy/edge/edge_view.hpp"
#include "proxy/edge/file_source.hpp"
#include "proxy/host/preflight.hpp"

namespace proxy {
namespace {

/// An edge has no node ports, and no pods.
Config settings_of(const EdgeOptions& options) {
    Config config = options.config;
    config.reserve_node_ports = false;
    config.second_opinion = CheckMode::off;
    config.node_check = CheckMode::off;
    return config;
}

/// The page refers to the source, which is made later.
template <class Made>
Page page_of(std::shared_ptr<const Made*> source) {
    return Page([source = std::move(source)] {
        const Made* made = *source;
        if (made == nullptr)
            return Reply{200, "application/json", front_ends_json({}, "the start")};
        const std::string waiting_for = made->is_waiting() ? made->waiting_for() : "";
        return Reply{200, "application/json", front_ends_json(made->balancer().views(), waiting_for)};
    });
}

template <class Made, class Make>
void bring(RoleParts& role, Make make) {
    const auto made = std::make_shared<const Made*>(nullptr);
    role.make_source = [made, make](const SourceMaterial& material) {
        auto source = make(material);
        *made = source.get();
        return std::unique_ptr<api::Source>(std::move(source));
    };
    role.pages.emplace("/backends", page_of(made));
}

std::shared_ptr<const RoleParts> role_of(const EdgeOptions& options) {
    auto role = std::make_shared<RoleParts>();
    role->plan = &plan_edge;
    role->source_name = options.path;
    bring<FileSource>(*role, [path = options.path](const SourceMaterial& material) {
        return std::make_unique<FileSource>(material.context, material.config, material.metrics, path);
    });
    return role;
}

}  // namespace

NodeOptions node_options_of(const EdgeOptions& options) {
    NodeOptions node;
    node.config = settings_of(options);
    node.commit = options.commit;
    node.read_again = [options]() -> std::optional<Config> {
        auto config = options.read_again ? options.read_again() : std::nullopt;
        if (!config)
            return std::nullopt;
        EdgeOptions again = options;
        again.config = std::move(*config);
        return settings_of(again);
    };
    node.role = role_of(options);
    return node;
}

int run_edge(const EdgeOptions& options) {
    return run_node(node_options_of(options));
}

int check_edge(const EdgeOptions& options) {
    const NodeOptions node = node_options_of(options);
    bool wrong = false;
    for (const api::Problem& problem : options.file.problems) {
        std::cerr << (problem.warning ? "warning: " : "error: ") << base::printable(api::to_string(problem)) << "\n";
        wrong = wrong || !problem.warning;
    }
    return wrong ? 2 : check_config(node);
}

}  // namespace proxy
