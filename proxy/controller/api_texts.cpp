#include "proxy/controller/api_texts.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/rfc3339.hpp"

namespace proxy {
namespace {

namespace json = boost::json;

/// meta/v1 MicroTime.
std::string micro_time(WallTime now) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                       micros % 1'000'000);
}

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

/// As client-go's elector writes it: who gives the Lease up leaves it to others for a second.
json::object spec_of(const LeaseClaim& claim) {
    const std::string now = micro_time(claim.now);
    const bool held = !claim.holder.empty();
    json::object spec{{"holderIdentity", claim.holder},
                      {"leaseDurationSeconds", held ? claim.duration.count() : 1},
                      {"renewTime", now},
                      {"leaseTransitions", claim.transitions + (claim.taking ? 1 : 0)}};
    if (claim.taking || !held)
        spec["acquireTime"] = now;
    return spec;
}

json::object condition_of(const StatusWrite& write, WallTime now) {
    if (!write.condition)
        return {{"$patch", "delete"}, {"type", api::balancer_condition}};
    return {{"type", api::balancer_condition},
            {"status", write.condition->status},
            {"reason", write.condition->reason},
            {"message", write.condition->message},
            {"lastTransitionTime", base::to_rfc3339(std::chrono::floor<std::chrono::seconds>(now))}};
}

json::value ingress_of(const StatusWrite& write) {
    json::array list;
    for (const api::BalancerIngress& one : write.ingress) {
        json::object ingress;
        if (one.address) {
            ingress["ip"] = one.address->to_string();
            ingress["ipMode"] = one.mode == api::IpMode::proxy ? "Proxy" : "VIP";
        }
        if (!one.hostname.empty())
            ingress["hostname"] = one.hostname;
        list.push_back(std::move(ingress));
    }
    return list.empty() ? json::value(nullptr) : json::value(std::move(list));
}

}  // namespace

std::string leases_path(const api::ObjectName& lease) {
    return "/apis/coordination.k8s.io/v1/namespaces/" + lease.space + "/leases";
}

std::string lease_path(const api::ObjectName& lease) {
    return leases_path(lease) + "/" + lease.name;
}

std::optional<LeaseRecord> read_lease(std::string_view text) {
    json::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !value.is_object())
        return std::nullopt;
    std::vector<api::Mistake> mistakes;
    const api::Field root(api::Value(&value), mistakes, api::Strictness::server);
    const api::Field metadata = root["metadata"];
    const api::Field annotations = metadata["annotations"];
    const api::Field spec = root["spec"];
    LeaseRecord record;
    record.version = metadata["resourceVersion"].text();
    record.reservations = annotations[reservations_annotation].text();
    record.holder = spec["holderIdentity"].text();
    record.duration = std::chrono::seconds(spec["leaseDurationSeconds"].integer(0, 86'400, 0));
    record.acquired = spec["acquireTime"].text();
    record.transitions = static_cast<int>(spec["leaseTransitions"].integer(0, 1'000'000'000, 0));
    if (record.version.empty() || root["kind"].text() != "Lease")
        return std::nullopt;
    return record;
}

std::string new_lease(const api::ObjectName& lease, const LeaseClaim& claim) {
    return json::serialize(json::object{{"apiVersion", "coordination.k8s.io/v1"},
                                        {"kind", "Lease"},
                                        {"metadata", {{"name", lease.name}, {"namespace", lease.space}}},
                                        {"spec", spec_of(claim)}});
}

std::string lease_patch(const std::string& version, const LeaseClaim& claim) {
    return json::serialize(
        json::object{{"metadata",
                      {{"resourceVersion", version},
                       {"annotations", json::object{{reservations_annotation, text_or_null(claim.reservations)}}}}},
                     {"spec", spec_of(claim)}});
}

std::string service_path(const api::ObjectName& service) {
    return "/api/v1/namespaces/" + service.space + "/services/" + service.name;
}

std::string status_patch(const StatusWrite& write, WallTime now) {
    json::object status{{"conditions", json::array{condition_of(write, now)}}};
    if (write.changes_ingress)
        status["loadBalancer"] = json::object{{"ingress", ingress_of(write)}};
    return json::serialize(
        json::object{{"metadata", {{"resourceVersion", write.version}, {"uid", write.uid}}}, {"status", status}});
}

BalancedServicePtr read_service(std::string_view text) {
    json::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !value.is_object())
        return nullptr;
    std::vector<api::Mistake> mistakes;
    auto service = api::decode_balanced_service(api::Value(&value), mistakes);
    if (!service || service->version.empty())
        return nullptr;
    return std::make_shared<const api::BalancedService>(std::move(*service));
}

}  // namespace proxy
