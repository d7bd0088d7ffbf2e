// The rules of service-proxy endpoint selection, as kube-proxy's Test_CategorizeEndpoints has them.
#include "proxy/plan/selection.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

struct Row {
    const char* what;
    const char* endpoints;
    const char* cluster;
    const char* local;
    bool has_any = true;
    Place place = {"n1", "a"};
};

std::string numbers(const EndpointList& list) {
    std::string text;
    for (const api::ResolvedEndpoint* endpoint : list)
        text += (text.empty() ? "" : " ") + endpoint->address.to_string().substr(7);
    return text;
}

const Row rows[] = {
    {"nothing", "", "", "", false},
    {"ready ones", "1lr 2r 3lr", "1 2 3", "1 3"},
    {"not ready is not used", "1l 2 3r", "3", ""},
    {"serving without being ready or terminating is not used", "1ls", "", "", false},
    {"terminating that serve, when nothing is ready", "1lst 2st 3lt", "1 2", "1"},
    {"terminating that do not serve are never used", "1lt 2t", "", "", false},
    {"local falls back by itself", "1lst 2r", "2", "1"},
    {"local does not, when one is ready", "1lst 2lr 3r", "2 3", "2"},
    {"ready although terminating (publishNotReadyAddresses)", "1lrt 2st", "1", "1"},
    // Hints.
    {"zone", "1r@a 2r@b 3lr@b", "1", "3"},
    {"one of two zones", "1r@a@b 2r@b 3r@b", "1", ""},
    {"no endpoint for this zone", "1r@b 2r@c", "1 2", ""},
    {"one without a hint", "1r@a 2r", "1 2", ""},
    {"one that is not ready without a hint", "1r@a 2r@b 3", "1", ""},
    {"the zone is not known", "1r@a 2r@b", "1 2", "", true, {"n1", ""}},
    {"node before zone", "1r@a%n2 2r@a%n1 3r@b%n1", "2 3", ""},
    {"node hints for others: zones decide", "1r@a%n2 2r@b%n2", "1", ""},
    {"node hints of some only: zones decide", "1r@a%n1 2r@a 3r@b%n1", "1 2", ""},
    {"local ignores hints", "1lr@b 2r@a", "2", "1"},
    {"terminating ones ignore hints", "1st@b 2st@a", "1 2", ""},
};

}  // namespace

TEST_CASE("which endpoints are used") {
    for (const Row& row : rows) {
        CAPTURE(row.what, row.endpoints);
        const auto endpoints = build::endpoints(row.endpoints);
        EndpointList list;
        for (const auto& endpoint : endpoints)
            list.push_back(&endpoint);
        const Selection selection = select(list, row.place);
        CHECK(numbers(selection.cluster) == row.cluster);
        CHECK(numbers(selection.local) == row.local);
        CHECK(selection.has_any == row.has_any);
    }
}

TEST_CASE("each endpoint has a fate, of either list") {
    using enum EndpointFate;
    struct FateRow {
        const char* what;
        const char* endpoints;
        std::vector<EndpointFate> cluster;
        std::vector<EndpointFate> local;
        Place place = {"n1", "a"};
    };
    const FateRow fate_rows[] = {
        {"ready ones", "1lr 2r", {selected, selected}, {selected, not_local}},
        {"not ready", "1l 2 3lr", {not_ready, not_ready, selected}, {not_ready, not_local, selected}},
        {"serving, but not ready", "1ls", {not_ready}, {not_ready}},
        {"terminating beside ready ones", "1lst 2lr", {terminating, selected}, {terminating, selected}},
        {"terminating beside ready ones elsewhere", "1lst 2r", {terminating, selected}, {selected, not_local}},
        {"terminating and nothing is ready", "1lst 2st", {selected, selected}, {selected, not_local}},
        {"terminating without serving", "1lt", {terminating}, {terminating}},
        {"its probe has failed",
         "1lf 2f 3lr",
         {failed_probe, failed_probe, selected},
         {failed_probe, not_local, selected}},
        {"failed while it terminates", "1lft", {terminating}, {terminating}},
        {"failed, and ready all the same (publishNotReadyAddresses)", "1lfr", {selected}, {selected}},
        {"its probe has not answered",
         "1lu 2lut 3u",
         {not_probed, not_probed, not_probed},
         {not_probed, not_probed, not_local}},
        {"zones", "1r@a 2r@b 3lr@b", {selected, other_zone, other_zone}, {not_local, not_local, selected}},
        {"nodes", "1r@a%n2 2r@a%n1", {other_node, selected}, {not_local, not_local}},
        {"hints that do not count", "1r@b 2r", {selected, selected}, {not_local, not_local}},
        {"a zone that is not known", "1r@a 2r@b", {selected, selected}, {not_local, not_local}, {"n1", ""}},
    };
    const auto words = [](const std::vector<EndpointFate>& fates) {
        std::string text;
        for (const EndpointFate fate : fates)
            text += (text.empty() ? "" : ", ") + std::string(word(fate));
        return text;
    };
    for (const FateRow& row : fate_rows) {
        CAPTURE(row.what, row.endpoints);
        const auto endpoints = build::endpoints(row.endpoints);
        EndpointList list;
        for (const auto& endpoint : endpoints)
            list.push_back(&endpoint);
        const Selection selection = select(list, row.place);
        REQUIRE(selection.fates.size() == list.size());
        std::vector<EndpointFate> cluster;
        std::vector<EndpointFate> local;
        for (const EndpointFates& fates : selection.fates) {
            cluster.push_back(fates.cluster);
            local.push_back(fates.local);
        }
        CHECK(words(cluster) == words(row.cluster));
        CHECK(words(local) == words(row.local));
    }
}
