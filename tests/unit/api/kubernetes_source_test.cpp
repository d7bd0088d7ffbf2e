// The API as a source: real sockets on loopback, a server that follows a script, bounded by deadlines.
#include "api/cluster/kubernetes_source.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "fake_api_server.hpp"
#include "packed.hpp"
#include "protobuf_bytes.hpp"
#include "tests/support/patience.hpp"

using namespace api;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const std::string services = "/api/v1/services";
const std::string slices = "/apis/discovery.k8s.io/v1/endpointslices";
const std::string nodes = "/api/v1/nodes";
const std::string cidrs = "/apis/networking.k8s.io/v1/servicecidrs";

std::string service(const std::string& name, const std::string& version = "1", const std::string& kind = "") {
    return "{" + kind + R"("metadata":{"name":")" + name + R"(","namespace":"n","resourceVersion":")" + version +
           R"("},"spec":{"clusterIP":"10.96.0.9","selector":{"app":"x"},"ports":[{"port":80}]}})";
}

std::string service_cidr(const std::string& name, const std::string& kind = "") {
    return "{" + kind + R"("metadata":{"name":")" + name +
           R"(","resourceVersion":"1"},"spec":{"cidrs":["10.96.0.0/16","fd00:96::/112"]}})";
}

std::string list(const std::string& kind, const std::string& items, const std::string& version = "10",
                 const std::string& token = "") {
    return R"({"kind":")" + kind + R"(List","apiVersion":"v1","metadata":{"resourceVersion":")" + version +
           R"(","continue":")" + token + R"("},"items":[)" + items + "]}\n";
}

std::string event(const std::string& type, const std::string& name, const std::string& version) {
    return R"({"type":")" + type + R"(","object":)" + service(name, version, R"("kind":"Service","apiVersion":"v1",)") +
           "}\n";
}

const std::string gone = R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})"
                         "\n";

/// An eighth of what it is elsewhere: most of these tests wait.
constexpr auto first_pause = 100ms;

struct World {
    asio::io_context context{1};
    FakeApiServer server{context};
    ApiHooks hooks;
    WatchTiming timing = {.pauses = {.first = first_pause}};
    std::vector<Transaction> transactions;
    std::vector<std::string> logged;
    std::unique_ptr<KubernetesSource> source;

    World() {
        const FakeAnswer watch{200, "", "", true, false};
        server.script[services] = {{200, list("Service", service("a") + "," + service("b")), "", false, false}};
        server.script[slices] = {{200, list("EndpointSlice", ""), "", false, false}};
        server.script[nodes] = {{200, list("Node", ""), "", false, false}};
        server.script[cidrs] = {{200, list("ServiceCIDR", service_cidr("kubernetes")), "", false, false}};
        for (const std::string& path : {services, slices, nodes, cidrs})
            server.script[path + "?watch"] = {watch};
        hooks.absent = [this](const std::string& resource, const std::string&) {
            logged.push_back("absent: " + resource);
        };
        hooks.away = [this](const TroubleNews& news) { logged.push_back("away: " + to_string(news)); };
        hooks.back = [this](std::chrono::seconds) { logged.emplace_back("back"); };
    }
    void start(std::vector<std::string> servers = {}, std::vector<WatchedResource> resources = {}) {
        Access access;
        access.servers = servers.empty() ? std::vector{server.url()} : std::move(servers);
        access.token = "secret";
        source = std::make_unique<KubernetesSource>(
            context, KubernetesOptions{access, "node", 300s, timing, std::move(resources)}, hooks);
        asio::co_spawn(context, source->run([this](Transaction t) { transactions.push_back(std::move(t)); }),
                       asio::detached);
    }
    template <class Condition>
    bool within(std::chrono::seconds limit, Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + testing::patience(limit);
        while (!condition() && std::chrono::steady_clock::now() < deadline)
            context.run_one_for(50ms);
        return condition();
    }
    /// However busy this machine is: not a moment longer.
    void run_for(std::chrono::milliseconds time) {
        for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;)
            context.run_one_until(end);
    }
    /// Names of the Services in force.
    std::string in_force() const {
        std::set<std::string> names;
        for (const Transaction& transaction : transactions) {
            for (const Removal& removal : transaction.removals)
                names.erase(removal.name.name);
            for (const Upsert& upsert : transaction.upserts)
                if (const auto* one = std::get_if<Service>(&upsert.object))
                    names.insert(one->name.name);
        }
        std::string text;
        for (const std::string& name : names)
            text += (text.empty() ? "" : " ") + name;
        return text;
    }
    bool watches() const { return server.count("watch=1") >= 4; }
};

/// How many pauses there may have been since then, at most: they double from the first. However slow this machine is.
std::size_t pauses_since(std::chrono::steady_clock::time_point start) {
    std::size_t pauses = 0;
    for (auto end = start + first_pause; end < std::chrono::steady_clock::now(); end += first_pause * (1U << pauses))
        ++pauses;
    return pauses;
}

}  // namespace

TEST_CASE("nothing is delivered before Services and EndpointSlices are complete") {
    World world;
    world.server.script[slices].insert(world.server.script[slices].begin(),
                                       {503, "", "Retry-After: 1\r\n", false, false});
    world.start();
    REQUIRE(world.within(5s, [&] { return world.source->waiting_for().find("503") != std::string::npos; }));
    CHECK(world.server.count(services + "?") >= 1);
    CHECK_THAT(world.source->waiting_for(), Catch::Contains("endpointslices"));
    CHECK(world.transactions.empty());
    REQUIRE(world.within(10s, [&] { return !world.transactions.empty(); }));
    CHECK(world.transactions[0].initial);
    CHECK(world.in_force() == "a b");
    CHECK(std::get<Service>(world.transactions[0].upserts[0].object).selector.empty());
    REQUIRE(world.transactions[0].problems.size() == 1);
    CHECK_THAT(world.transactions[0].problems[0].message, Catch::Contains("the API has no such Node"));
}

TEST_CASE("what is asked for is only what is needed") {
    World world;
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    CHECK(world.server.count("GET /api/v1/services?labelSelector=%21service.kubernetes.io%2Fservice-proxy-name&"
                             "fieldSelector=spec.clusterIP%21%3DNone&resourceVersion=0") == 1);
    CHECK(world.server.count("GET " + slices +
                             "?labelSelector=%21service.kubernetes.io%2Fheadless&resourceVersion=0") == 1);
    CHECK(world.server.count("GET /api/v1/nodes?fieldSelector=metadata.name%3Dnode&") == 2);
    CHECK(world.server.count("watch=1&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=") == 4);
}

TEST_CASE("events are delivered, and a watch that breaks goes on where it was") {
    World world;
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    world.server.send(services + "?watch", event("ADDED", "c", "11") + event("DELETED", "a", "12"));
    REQUIRE(world.within(5s, [&] { return world.in_force() == "b c"; }));
    world.server.hang_up();
    REQUIRE(world.within(10s, [&] { return world.server.count("resourceVersion=12&timeoutSeconds") == 1; }));
    world.server.send(services + "?watch", event("ADDED", "d", "13"));
    REQUIRE(world.within(5s, [&] { return world.in_force() == "b c d"; }));
    CHECK(world.server.count(services + "?labelSelector") == 3);  // one list, two watches
}

TEST_CASE("410 on the watch: listed anew, what vanished in the gap is removed") {
    World world;
    world.server.script[services].push_back(
        {200, list("Service", service("b") + "," + service("z"), "20"), "", false, false});
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    world.server.send(services + "?watch", gone);
    REQUIRE(world.within(5s, [&] { return world.in_force() == "b z"; }));
    CHECK(world.server.count("fieldSelector=spec.clusterIP%21%3DNone&resourceVersion=10") == 1);
    REQUIRE(world.within(5s, [&] { return world.server.count("resourceVersion=20&timeout") == 1; }));
}

TEST_CASE("a list in pages, one of which is cut off in the midst, is read again from its beginning") {
    World world;
    auto& answers = world.server.script[services];
    answers.push_back({200, list("Service", service("p1"), "20", "next"), "", false, false});
    answers.push_back({200, list("Service", service("p2")).substr(0, 90), "", false, true});
    answers.push_back({200, list("Service", service("p3"), "21", "next"), "", false, false});
    answers.push_back({200, list("Service", service("p4"), "21"), "", false, false});
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    world.server.send(services + "?watch", gone);
    REQUIRE(world.within(10s, [&] { return world.in_force() == "p3 p4"; }));
    CHECK(world.server.count("limit=500&continue=next") == 2);
}

TEST_CASE("a packed list is read; one whose packing is cut off is read again") {
    World world;
    const std::string whole = packed(list("Service", service("a") + "," + service("c")));
    world.server.script[services] = {
        {200, whole.substr(0, whole.size() - 9), "Content-Encoding: gzip\r\n", false, false},
        {200, whole, "Content-Encoding: gzip\r\n", false, false}};
    world.start();
    REQUIRE(world.within(10s, [&] { return !world.transactions.empty(); }));
    CHECK(world.in_force() == "a c");
    CHECK(world.server.count("GET " + services) >= 2);
}

TEST_CASE("an Event that the API refuses is counted, with what the server says, and does not hold up the next") {
    World world;
    const std::string path = "/apis/events.k8s.io/v1/namespaces/shop/events";
    const std::string refusal =
        R"({"kind":"Status","status":"Failure","message":"note: can have at most 1024 bytes","code":422})";
    world.server.script[path] = {{422, refusal, "", false, false},
                                 {201, "{}", "", false, false},
                                 {403, refusal, "", false, false},
                                 {201, "{}", "", false, false}};
    std::vector<std::string> lost;
    world.hooks.event_lost = [&](EventLoss loss, const std::string& detail) {
        lost.push_back(std::string(word(loss)) + " " + detail);
    };
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    for (int i = 0; i < 30; ++i)
        asio::co_spawn(world.context, world.source->post({"NotAsAsked", "m", true, "Service", "web", "shop", "u"}),
                       asio::detached);
    REQUIRE(world.within(10s, [&] { return world.server.count("POST " + path) == 25 && lost.size() == 7; }));
    CHECK(std::count(lost.begin(), lost.end(), "too_many ") == 5);
    CHECK(std::count(lost.begin(), lost.end(), "invalid 422: note: can have at most 1024 bytes") == 1);
    CHECK(std::count(lost.begin(), lost.end(), "forbidden 403: note: can have at most 1024 bytes") == 1);
}

TEST_CASE("problems are gathered only when they change") {
    World world;
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    CHECK_FALSE(world.transactions[0].same_problems);
    CHECK(world.transactions[0].problems.size() == 1);  // the Node is not there
    world.server.send(services + "?watch", event("ADDED", "c", "11"));
    REQUIRE(world.within(5s, [&] { return world.transactions.size() == 2; }));
    CHECK(world.transactions[1].same_problems);
    CHECK(world.transactions[1].problems.empty());
    world.server.send(services + "?watch",
                      R"({"type":"ADDED","object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"d",)"
                      R"("namespace":"n","resourceVersion":"12"},"spec":7}})"
                      "\n");
    REQUIRE(world.within(5s, [&] { return world.transactions.size() == 3; }));
    CHECK_FALSE(world.transactions[2].same_problems);
    CHECK(world.transactions[2].problems.size() > 1);
}

TEST_CASE("lists are asked for in protobuf, events in JSON") {
    using protobuf::text;
    World world;
    const auto item = [](const std::string& name) {
        return text(1, text(1, name) + text(3, "n") + text(6, "1")) +
               text(2, text(3, "10.96.0.9") + text(1, protobuf::integer(3, 80)));
    };
    world.server.script[services] = {{200, packed(protobuf::list_answer("ServiceList", {item("a"), item("c")}, "10")),
                                      "Content-Encoding: gzip\r\n", false, false}};
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    CHECK(world.in_force() == "a c");
    REQUIRE(world.server.requests.size() == world.server.accepted.size());
    for (std::size_t i = 0; i < world.server.requests.size(); ++i) {
        const bool watch = world.server.requests[i].find("watch=1") != std::string::npos;
        CHECK(world.server.accepted[i] ==
              (watch ? "application/json" : "application/vnd.kubernetes.protobuf, application/json"));
    }
    world.server.send(services + "?watch", event("ADDED", "d", "11"));
    CHECK(world.within(5s, [&] { return world.in_force() == "a c d"; }));
}

TEST_CASE("broken JSON changes nothing and is asked for again") {
    World world;
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    world.server.send(services + "?watch", "{\"type\":\"ADDED\",\"obj\n");
    REQUIRE(world.within(10s, [&] { return world.server.count("watch=1") >= 5; }));
    CHECK(world.in_force() == "a b");
    CHECK(world.transactions.size() == 1);
}

TEST_CASE("a server that is gone is told of once, and once when it is back") {
    World world;
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    const FakeAnswer down{503, R"({"kind":"Status","code":503,"message":"etcd is away"})", "", false, false};
    for (const std::string& path : {services, slices, nodes, cidrs}) {
        auto& answers = world.server.script[path + "?watch"];
        answers.insert(answers.begin(), {down, down});
    }
    world.server.hang_up();
    REQUIRE(world.within(30s, [&] { return world.logged.size() == 2; }));
    CHECK_THAT(world.logged[0], Catch::Contains("503 etcd is away"));
    CHECK(world.logged[1] == "back");
    CHECK(world.in_force() == "a b");
    CHECK(world.transactions.size() == 1);
    for (const auto& [resource, seconds] : world.source->condition().staleness)
        CHECK(seconds < 10);
}

TEST_CASE("the next server is asked when one does not answer") {
    World world;
    asio::io_context elsewhere;
    const auto closed = [&] {
        const asio::ip::tcp::acceptor gone_at_once(elsewhere, {asio::ip::address_v4::loopback(), 0});
        return "http://127.0.0.1:" + std::to_string(gone_at_once.local_endpoint().port());
    }();
    world.start({closed, world.server.url()});
    REQUIRE(world.within(5s, [&] { return !world.transactions.empty(); }));
    CHECK(world.in_force() == "a b");
}

TEST_CASE("an older server that knows no field selector is asked without it") {
    World world;
    auto& answers = world.server.script[services];
    answers.insert(answers.begin(),
                   {400, R"({"kind":"Status","code":400,"message":"field label not supported"})", "", false, false});
    world.start();
    REQUIRE(world.within(5s, [&] { return !world.transactions.empty(); }));
    CHECK(world.server.count("fieldSelector=spec") == 1);
}

TEST_CASE("an empty relist is held back, and the reason is said") {
    World world;
    std::string many;
    for (int i = 0; i < 12; ++i)
        many += (i == 0 ? "" : ",") + service("s" + std::to_string(i));
    world.server.script[services] = {{200, list("Service", many), "", false, false},
                                     {200, list("Service", "", "3"), "", false, false}};
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    world.server.send(services + "?watch", gone);
    REQUIRE(world.within(5s, [&] { return world.transactions.size() == 2; }));
    CHECK(world.transactions[1].removals.empty());
    CHECK(world.source->condition().held == 12);
    CHECK_THAT(to_string(world.transactions[1].problems.front()), Catch::Contains("suddenly lacks most"));
}

TEST_CASE("a watch that falls silent is another history's: listed anew, as of now") {
    World world;
    world.timing.bookmark_silence = 300ms;
    world.timing.watch_silence = 60s;
    auto& answers = world.server.script[services];
    answers.push_back({200, list("Service", service("z"), "3"), "", false, false});
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    // Without a bookmark it might be a server that sends none.
    world.run_for(1s);
    CHECK(world.in_force() == "a b");
    world.server.send(services + "?watch",
                      R"({"type":"BOOKMARK","object":{"kind":"Service","metadata":{"resourceVersion":"11"}}})"
                      "\n");
    REQUIRE(world.within(5s, [&] { return world.in_force() == "z"; }));
    CHECK(world.server.count("limit=500") == 1);
}

TEST_CASE("a server that answers 200 and breaks off is asked ever less often, also while other watches go well") {
    World world;
    const std::string whole = list("Service", service("a"));
    world.server.script[services] = {{200, whole.substr(0, whole.size() / 2), "", false, true}};
    const std::string bookmark =
        R"({"type":"BOOKMARK","object":{"kind":"EndpointSlice","metadata":{"resourceVersion":"11"}}})"
        "\n";
    world.start();
    const auto start = std::chrono::steady_clock::now();
    auto last = start;
    REQUIRE(world.within(10s, [&] {
        const auto now = std::chrono::steady_clock::now();
        if (now - last > 50ms) {
            world.server.send(slices + "?watch", bookmark);
            last = now;
        }
        return world.server.count(services + "?") >= 2 && now - start > 1s;
    }));
    CHECK(world.server.count(services + "?") <= 1 + pauses_since(start));
    CHECK(world.transactions.empty());
}

TEST_CASE("a server whose watches end at once is asked for lists ever less often") {
    const std::string bookmark =
        R"({"type":"BOOKMARK","object":{"kind":"Service","metadata":{"resourceVersion":"11"}}})"
        "\n";
    const auto watch = GENERATE_COPY(values<FakeAnswer>({
        {400, R"({"kind":"Status","code":400,"message":"unknown parameter"})", "", false, false},
        {410, R"({"kind":"Status","code":410,"message":"too old"})", "", false, false},
        {200, bookmark + gone, "", false, false},
        {200, bookmark, "", false, true},
        {200, event("ADDED", "a", "11"), "", false, false},  // the same one each time
        {200, "nonsense\n", "", false, false},
    }));
    CAPTURE(watch.status, watch.body, watch.cut);
    World world;
    world.server.script[services + "?watch"] = {watch};
    world.start();
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(world.within(10s, [&] {
        return world.server.count(services + "?") >= 3 && std::chrono::steady_clock::now() - start > 700ms;
    }));
    // A list and a watch, perhaps again at once, and at most both after each pause.
    CHECK(world.server.count(services + "?") <= 4 + 2 * pauses_since(start));
    CHECK(world.in_force() == "a b");
}

TEST_CASE("a watch that lives is a success, after which a failure is the first one again") {
    World world;
    world.timing.proven_after = 100ms;
    world.start();
    const auto lists_and_watches = [&] { return world.server.count(services + "?"); };
    for (std::size_t requests = 2; requests <= 14;
         requests += 2) {  // the pause after seven failures is longer than 6 s
        REQUIRE(world.within(6s, [&] { return lists_and_watches() == requests; }));
        world.run_for(500ms);  // it lives
        world.server.send(services + "?watch", gone);
    }
    CHECK(world.within(6s, [&] { return lists_and_watches() == 16; }));
}

TEST_CASE("what the server refuses is told of once, with what is missing") {
    World world;
    const std::string body = R"({"kind":"Status","code":403,"message":"services is forbidden"})";
    world.server.script[services] = {{403, body, "", false, false}};
    world.start();
    REQUIRE(world.within(10s, [&] { return world.server.count(services + "?") >= 3; }));
    REQUIRE(world.logged.size() == 1);
    CHECK_THAT(world.logged[0], Catch::Contains("does not permit") && Catch::Contains("verb list") &&
                                    Catch::Contains("resources: [services]") &&
                                    Catch::Contains("403 services is forbidden"));
    CHECK_THAT(world.source->waiting_for(), Catch::Contains("verb list"));
    REQUIRE(world.source->condition().ailments.size() == 1);
    CHECK_THAT(world.source->condition().ailments[0].message, Catch::Contains("does not permit"));
}

TEST_CASE("credentials that are not accepted are one cause for all resources") {
    World world;
    for (const std::string& path : {services, slices, nodes, cidrs})
        world.server.script[path] = {
            {401, R"({"kind":"Status","code":401,"message":"Unauthorized"})", "", false, false}};
    world.start();
    REQUIRE(world.within(20s, [&] { return !world.logged.empty(); }));
    REQUIRE(world.within(10s, [&] { return world.server.count("GET ") >= 9; }));
    REQUIRE(world.logged.size() == 1);
    CHECK_THAT(world.logged[0], Catch::Contains("does not accept our credentials") && Catch::Contains("401"));
    CHECK(world.source->condition().ailments.size() == 1);
}

TEST_CASE("a source may go at any moment, before its event loop does") {
    const auto stop_after = GENERATE(0, 1, 3, 10, 30);
    for (int i = 0; i < 5; ++i) {
        World world;
        world.start();
        for (int turns = 0; turns < stop_after; ++turns)
            world.context.run_one_for(2ms);
        world.source.reset();
    }
}

TEST_CASE("ServiceCIDRs come with the first transaction, and as they change") {
    World world;
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    CHECK(world.source->knows(Kind::service_cidr));
    const auto ranges = [&](std::size_t transaction) {
        std::string text;
        for (const Upsert& upsert : world.transactions.at(transaction).upserts)
            if (const auto* cidr = std::get_if<ServiceCidr>(&upsert.object))
                for (const base::Prefix& network : cidr->cidrs)
                    text += cidr->name.name + " " + network.address.to_string() + "/" + std::to_string(network.length) +
                            " ";
        return text;
    };
    REQUIRE(world.transactions.size() == 1);
    CHECK(ranges(0) == "kubernetes 10.96.0.0/16 kubernetes fd00:96::/112 ");
    const std::string head = R"("kind":"ServiceCIDR","apiVersion":"networking.k8s.io/v1",)";
    world.server.send(cidrs + "?watch", R"({"type":"ADDED","object":)" + service_cidr("more", head) + "}\n");
    REQUIRE(world.within(5s, [&] { return world.transactions.size() == 2; }));
    CHECK(ranges(1) == "more 10.96.0.0/16 more fd00:96::/112 ");
    world.server.send(cidrs + "?watch", R"({"type":"DELETED","object":)" + service_cidr("more", head) + "}\n");
    REQUIRE(world.within(5s, [&] { return world.transactions.size() == 3; }));
    CHECK(world.transactions[2].removals == std::vector<Removal>{{Kind::service_cidr, {"", "more"}}});
}

TEST_CASE("a server without ServiceCIDRs, or without the right to them, costs one line and no time") {
    struct Row {
        int status;
        std::string line;
        std::size_t ailments;
    };
    const auto row = GENERATE(Row{404, "absent: servicecidrs", 0}, Row{403, "resources: [servicecidrs]", 1});
    CAPTURE(row.status);
    World world;
    world.server.script[cidrs] = {{row.status,
                                   R"({"kind":"Status","code":)" + std::to_string(row.status) + R"(,"message":"no"})",
                                   "", false, false}};
    const auto start = std::chrono::steady_clock::now();
    world.start();
    REQUIRE(world.within(4s, [&] { return !world.transactions.empty(); }));
    CHECK(std::chrono::steady_clock::now() - start < testing::patience(4s));
    CHECK(world.in_force() == "a b");
    REQUIRE(world.within(20s, [&] { return world.server.count(cidrs) >= 4; }));
    REQUIRE(world.logged.size() == 1);
    CHECK_THAT(world.logged[0], Catch::Contains(row.line));
    CHECK(world.source->condition().ailments.size() == row.ailments);
    CHECK(world.source->knows(Kind::service_cidr) == (row.status == 404));
    CHECK(world.source->is_current());
    CHECK(world.transactions.size() == 1);
    for (const auto& [resource, seconds] : world.source->condition().staleness)
        CHECK(seconds < 60);
}

TEST_CASE("ServiceCIDRs that the server has later are there then") {
    World world;
    auto& answers = world.server.script[cidrs];
    answers.insert(answers.begin(), 2, {404, R"({"kind":"Status","code":404})", "", false, false});
    world.start();
    REQUIRE(world.within(10s, [&] { return world.transactions.size() == 2; }));
    CHECK(std::holds_alternative<ServiceCidr>(world.transactions[1].upserts.at(0).object));
}

TEST_CASE("this node's pods are watched where they are asked for, and listed in JSON") {
    World world;
    auto resources = resources_of_node("node");
    resources.push_back(pods_of_node("node"));
    const std::string pods = "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode";
    world.server.script["/api/v1/pods"] = {
        {200,
         R"({"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"web-1","namespace":"shop",
"uid":"u","resourceVersion":"4","managedFields":[{"manager":"kubelet"}]},"spec":{"nodeName":"node","containers":[{"name":"main","image":"x",
"readinessProbe":{"httpGet":{"path":"/ready","port":8080,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,
"failureThreshold":3}}]},"status":{"phase":"Running","podIP":"10.1.0.11","podIPs":[{"ip":"10.1.0.11"}],"containerStatuses":[{"name":"main",
"containerID":"containerd://1","ready":true,"started":true,"state":{"running":{"startedAt":"2026-01-31T12:00:00Z"}}}]}}]})",
         "", false, false}};
    world.start({}, resources);
    REQUIRE(world.within(10s, [&] { return !world.transactions.empty(); }));
    const auto found = std::find_if(world.transactions[0].upserts.begin(), world.transactions[0].upserts.end(),
                                    [](const Upsert& upsert) { return std::holds_alternative<Pod>(upsert.object); });
    REQUIRE(found != world.transactions[0].upserts.end());
    const auto& pod = std::get<Pod>(found->object);
    CHECK(pod.name == ObjectName{"shop", "web-1"});
    CHECK(pod.containers.at(0).readiness);
    CHECK(pod.container_statuses.at(0).state == ContainerState::running);
    CHECK(world.server.count("GET " + pods) >= 1);
}

TEST_CASE("another node's Node is looked up in the server's cache, and that it is not there is an answer") {
    World world;
    const std::string node = R"({"metadata":{"name":"n2","resourceVersion":"7"},
"status":{"addresses":[{"type":"InternalIP","address":"192.168.50.2"}]}})";
    world.server.script[nodes] = {
        {200, list("Node", ""), "", false, false},
        {200, list("Node", node), "", false, false},
        {200, list("Node", ""), "", false, false},
        {403, R"({"kind":"Status","message":"no nodes for you","code":403})", "", false, false}};
    world.start();
    REQUIRE(world.within(5s, [&] { return world.watches(); }));
    std::vector<std::string> found;
    const auto look = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            const auto answer = co_await world.source->find_node("n2");
            found.push_back(!answer ? answer.error() : !*answer ? "none" : (*answer)->addresses.at(0).to_string());
        }
    };
    asio::co_spawn(world.context, look(), asio::detached);
    REQUIRE(world.within(5s, [&] { return found.size() == 3; }));
    CHECK(found == std::vector<std::string>{"192.168.50.2", "none", "403: no nodes for you"});
    CHECK(world.server.count("GET " + nodes + "?resourceVersion=0&fieldSelector=metadata.name%3Dn2") == 3);
}

TEST_CASE("the slices of the Service that names nodes are watched beside the others") {
    const auto resource = slices_of_service({"kube-system", "podferry-nodes"});
    CHECK(resource.kind == Kind::endpoint_slice);
    CHECK(resource.resource.path == "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices");
    CHECK(resource.resource.selectors == "labelSelector=kubernetes.io%2Fservice-name%3Dpodferry-nodes");
}

TEST_CASE("what is watched is a list of values") {
    World world;
    auto resources = resources_of_node("node");
    std::erase_if(resources, [](const WatchedResource& one) { return one.kind != Kind::endpoint_slice; });
    REQUIRE(resources.size() == 1);
    resources[0].when_empty = "there is none";
    world.start({}, resources);
    REQUIRE(world.within(5s, [&] { return world.server.count("watch=1") == 1; }));
    REQUIRE(world.transactions.size() == 1);
    REQUIRE(world.transactions[0].problems.size() == 1);
    CHECK(world.transactions[0].problems[0].object == "EndpointSlices");
    CHECK(world.transactions[0].problems[0].message == "there is none");
    CHECK(world.source->is_current());
    CHECK(world.source->knows(Kind::endpoint_slice));
    CHECK_FALSE(world.source->knows(Kind::service));
    CHECK(world.server.count("GET " + services) == 0);
}
