// What another role than `node` brings along: where its objects come from, what becomes of a Service, and its pages.
// All else, from the lock to the kernel side and the log, is the node role's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/cluster/api_client.hpp"
#include "api/cluster/kubeconfig.hpp"
#include "api/objects/source.hpp"
#include "proxy/config/config.hpp"
#include "proxy/engine/planning_steps.hpp"
#include "proxy/serve/metrics.hpp"
#include "proxy/serve/page.hpp"

namespace proxy {

/// What a role's source is made with. All references outlive the source.
struct SourceMaterial {
    boost::asio::io_context& context;
    const Config& config;
    Metrics& metrics;
    const api::ApiHooks& hooks;
    const std::optional<api::Access>& access;  ///< to the API, if the role needs it
};

/// Services come with all their addresses.
struct RoleParts {
    std::string source_name;  ///< for the log
    bool needs_api = false;
    std::function<std::unique_ptr<api::Source>(const SourceMaterial&)> make_source;
    PlanFunction plan;
    Pages pages;  ///< of the operator's socket, besides those of all roles
};

}  // namespace proxy
