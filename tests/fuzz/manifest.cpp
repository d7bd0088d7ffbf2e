// Whatever stands in one manifest file: no crash, and the Service of another file stays served.
#include <cstdio>
#include <cstdlib>

#include "api/folder/manifest_set.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/engine/engine_problems.hpp"
#include "proxy/engine/service_view.hpp"

namespace {

constexpr const char* good =
    "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop},"
    " spec: {clusterIP: 10.96.0.5, ports: [{port: 80}]}}";

proxy::Config config() {
    proxy::Config config = proxy::default_config();
    config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/16"), *base::parse_prefix("fd00:96::/112")};
    return config;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    api::ManifestSet manifests;
    proxy::Engine engine(config(), {}, {});
    const auto update = [&](const char* file, std::string_view content) {
        manifests.update(file, api::read_manifest(file, content));
        engine.apply(manifests.exchange_changes(false));
        engine.plan_dirty({});
    };
    update("good.yaml", good);
    update("fuzz.yaml", text);
    update("fuzz.json", text);
    problems_of(engine);
    const netlink::KernelState nothing;
    const proxy::ServiceViews views = engine.views(nothing);
    for (const api::Service& service : engine.store().services())
        views.of(service);
    const netlink::VirtualServer web{base::make_address("10.96.0.5"), netlink::Protocol::tcp, 80};
    if (engine.desired().find(web) == nullptr) {
        std::fputs("the good Service is not served any more\n", stderr);
        std::abort();
    }
    return 0;
}
