// What an API server writes, decoded, however the network cuts it.
#include "read_list.hpp"

#include <catch2/catch.hpp>

using namespace api;

namespace {

const std::string list =
    R"({"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"77","continue":"t\"[{"},"items":[)"
    R"({"metadata":{"name":"a","namespace":"n","resourceVersion":"5"},"spec":{"clusterIP":"10.96.0.1","ports":[{"port":80}]}},)"
    R"( {"metadata":{"name":"b","namespace":"n","resourceVersion":"6"},"spec":{"clusterIP":"10.96.0.2","ports":[{"port":"x"}]}}]})"
    "\n";

std::string event(const std::string& type, const std::string& object) {
    return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

std::string slice(const std::string& rest) {
    return R"({"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"s","namespace":"n",)"
           R"("labels":{"kubernetes.io/service-name":"web"},"resourceVersion":"9"},)" +
           rest + "}";
}

EndpointSlice decoded_slice(const std::string& rest, std::string* mistakes = nullptr) {
    EndpointSlice result;
    EventReader reader([&](WatchEvent event) {
        if (mistakes != nullptr)
            for (const Mistake& mistake : event.object.mistakes)
                *mistakes += to_string(mistake) + "\n";
        if (!event.object.objects.empty())
            result = std::get<EndpointSlice>(event.object.objects.front());
    });
    REQUIRE(reader.feed(event("ADDED", slice(rest))).empty());
    return result;
}

}  // namespace

TEST_CASE("a list is taken apart in pieces of any size") {
    const auto piece = GENERATE(1U, 2U, 7U, 64U, 100'000U);
    CAPTURE(piece);
    const auto [objects, end] = read_list("Service", list, piece);
    CHECK(end.problem.empty());
    CHECK(end.version == "77");
    CHECK(end.continue_token == "t\"[{");
    REQUIRE(objects.size() == 2);
    CHECK(objects[0].name == ObjectName{"n", "a"});
    CHECK(objects[0].version == "5");
    CHECK(objects[0].objects.size() == 1);
    CHECK(objects[1].label == "Service n/b");
    CHECK(objects[1].objects.empty());
    REQUIRE(objects[1].mistakes.size() == 1);
    CHECK(to_string(objects[1].mistakes[0].path) == "spec.ports[0].port");
}

TEST_CASE("Services are read as who gives them addresses sees them, from lists and events") {
    const std::string service =
        R"({"metadata":{"name":"a","namespace":"n","resourceVersion":"5","uid":"u"},"spec":{"type":"LoadBalancer",)"
        R"("loadBalancerClass":"c","ports":[{"port":"x"}]},"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}})";
    std::vector<WireObject> objects;
    ListReader reader(
        "Service", [&](WireObject object) { objects.push_back(std::move(object)); }, Reading::balanced_services);
    reader.feed(R"({"kind":"ServiceList","metadata":{"resourceVersion":"77"},"items":[)" + service + "]}");
    CHECK(reader.finish().problem.empty());
    EventReader events([&](WatchEvent event) { objects.push_back(std::move(event.object)); },
                       Reading::balanced_services);
    CHECK(events.feed(event("DELETED", service)).empty());
    REQUIRE(objects.size() == 2);
    for (const WireObject& object : objects) {
        CHECK(object.name == ObjectName{"n", "a"});
        CHECK(object.objects.empty());
        REQUIRE(object.balanced);
        CHECK(object.balanced->balancer_class == "c");
        CHECK(object.balanced->ingress.size() == 1);
        CHECK(object.mistakes.size() == 1);  // the port; the rest counts all the same
    }
    CHECK(list_format_of("Service", Reading::balanced_services) == other_format);
}

TEST_CASE("what nobody reads is left out of a list's objects, and nothing beside it") {
    const auto piece = GENERATE(1U, 3U, 100'000U);
    const auto unread =
        GENERATE(R"([{"f:x":{"a":[1,-2,3.5]},"managedFields":["}"]},{}])", R"("text")", "7", "-7", "1.5",
                 "18446744073709551615", "null", "true", "{}", "[]", R"({"targetRef":{"name":"p"}})");
    const std::string text =
        std::string(
            R"({"kind":"EndpointSliceList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"s",)") +
        R"("managedFields":)" + unread + R"(,"namespace":"n","resourceVersion":"9","labels":)" +
        R"({"kubernetes.io/service-name":"web"}},"addressType":"IPv4","endpoints":[{"targetRef":)" + unread +
        R"(,"addresses":["10.1.0.1"],"nodeName":"n1"},{"addresses":["10.1.0.2"],"targetRef":)" + unread +
        R"(}],"ports":[{"port":80}]}]})";
    CAPTURE(piece, unread);
    const auto [objects, end] = read_list("EndpointSlice", text, piece);
    CHECK(end.problem.empty());
    REQUIRE(objects.size() == 1);
    CHECK(objects[0].mistakes.empty());
    CHECK(objects[0].version == "9");
    const auto& slice = std::get<EndpointSlice>(objects[0].objects.at(0));
    CHECK(slice.name == ObjectName{"n", "s"});
    CHECK(slice.service == "web");
    REQUIRE(slice.endpoints.size() == 2);
    CHECK(*slice.endpoints[0].node_name == "n1");
    CHECK(slice.ports.size() == 1);
}

TEST_CASE("a list that is cut off anywhere is no list") {
    for (std::size_t size = 0; size + 2 < list.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(read_list("Service", std::string_view(list).substr(0, size)).end.problem.empty());
    }
}

TEST_CASE("what is no list is refused") {
    const auto text = GENERATE(R"({"kind":"Status","code":200})", R"({"kind":"ServiceList","metadata":{}})",
                               R"({"kind":"ServiceList","metadata":{"resourceVersion":"1"}})",
                               R"({"kind":"ServiceList","items":[]})", "<html>not found</html>", "[1,2]", "",
                               R"({"kind":"ServiceList","items":[1]})", R"({"kind":"ServiceList","items":[{"a":}]})");
    CAPTURE(text);
    CHECK_FALSE(read_list("Service", text).end.problem.empty());
}

TEST_CASE("an empty list may say null") {
    const auto items = GENERATE("[]", "null");
    ListReader reader("Service", [](WireObject) { FAIL("there is none"); });
    reader.feed(std::string(R"({"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":)") + items + "}");
    const auto end = reader.finish();
    CHECK(end.problem.empty());
    CHECK(end.version == "1");
}

TEST_CASE("events are read line by line, in pieces of any size") {
    const auto piece = GENERATE(1U, 5U, 100'000U);
    const std::string text =
        event("ADDED", slice(R"("addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"]}])")) +
        event("BOOKMARK", R"({"kind":"Service","metadata":{"resourceVersion":"12"}})") +
        event("BOOKMARK",
              R"({"metadata":{"resourceVersion":"13","annotations":{"k8s.io/initial-events-end":"true"}}})") +
        event("ERROR", R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})");
    std::vector<WatchEvent> events;
    EventReader reader([&](WatchEvent e) { events.push_back(std::move(e)); });
    for (std::size_t at = 0; at < text.size(); at += piece)
        REQUIRE(reader.feed(std::string_view(text).substr(at, piece)).empty());
    REQUIRE(events.size() == 4);
    CHECK(events[0].type == EventType::added);
    CHECK(events[0].object.name == ObjectName{"n", "s"});
    CHECK((events[1].type == EventType::bookmark && events[1].object.version == "12"));
    CHECK(events[2].object.version == "13");
    CHECK((events[3].type == EventType::error && events[3].status.code == 410));
}

TEST_CASE("what is no event ends the watch") {
    const auto text = GENERATE("{\n", "[]\n", "{\"type\":\"ADDED\"}\n", "{\"type\":\"NEW\",\"object\":{}}\n", "null\n");
    CAPTURE(text);
    EventReader reader([](WatchEvent) { FAIL("it is none"); });
    CHECK_FALSE(reader.feed(text).empty());
}

TEST_CASE("a version that is newer than the server is told apart") {
    const WireStatus status = read_status(
        R"({"kind":"Status","code":504,"message":"Too large resource version","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}})");
    CHECK(status.version_too_large);
    CHECK(read_status("upstream is down\nmore").message == "upstream is down");
}

TEST_CASE("a server's slice is used as far as it can be, and what cannot is said") {
    struct Row {
        const char* rest;
        std::size_t endpoints;
        std::size_t ports;
        const char* mistake;
    };
    const auto row = GENERATE(values<Row>({
        {R"("addressType":"IPv4","ports":[{"name":"a"},{"name":"b","port":8080}],"endpoints":[{"addresses":["10.1.0.1"]}])",
         1, 1, ""},
        {R"("addressType":"IPv4","ports":[{"name":"a","port":70000},{"name":"b","port":8080}])", 0, 1,
         "ports[0].port: 70000 is no port"},
        {R"("addressType":"IPv4","ports":[{"name":"a","port":0}])", 0, 0, ""},
        {R"("addressType":"FQDN","endpoints":[{"addresses":["a.example"]}])", 0, 0, "slices of FQDN are not used"},
        {R"("addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1","10.1.0.2"]}])", 1, 0, ""},
        {R"("addressType":"IPv4","endpoints":[{"addresses":["010.001.000.009"]}])", 1, 0, ""},
        {R"("addressType":"IPv4","endpoints":[{"addresses":["::ffff:10.1.0.1"]}])", 1, 0, ""},
        {R"("addressType":"IPv6","endpoints":[{"addresses":["10.1.0.1"]}])", 0, 0, "is not of the slice's addressType"},
        {R"("addressType":"IPv4","endpoints":[{"addresses":[]},{"addresses":["10.1.0.1"]}])", 1, 0, "missing"},
        {R"("addressType":"IPv4","endpoints":[{"addresses":["127.0.0.1"]},{"addresses":["10.1.0.1"]}])", 1, 0,
         "cannot be an endpoint"},
        {R"("addressType":"IPv4","newField":{"x":1},"endpoints":[{"addresses":["10.1.0.1"],"new":1}])", 1, 0, ""},
        {R"("addressType":"IPv4","endpoints":{"a":1})", 0, 0, "must be a list, not an object"},
        {R"("addressType":7)", 0, 0, "must be a string, not 7"},
    }));
    CAPTURE(row.rest);
    std::string mistakes;
    const EndpointSlice result = decoded_slice(row.rest, &mistakes);
    CHECK(result.endpoints.size() == row.endpoints);
    CHECK(result.ports.size() == row.ports);
    if (*row.mistake == '\0')
        CHECK(mistakes.empty());
    else
        CHECK_THAT(mistakes, Catch::Contains(row.mistake));
}

TEST_CASE("an item of a list that has no end is given up") {
    ListReader reader("Service", [](const WireObject&) {});
    reader.feed(R"({"kind":"ServiceList","items":[{"metadata":{"name":")");
    const std::string piece(std::size_t{1} << 20, 'x');
    for (int i = 0; i < 40; ++i)
        reader.feed(piece);
    CHECK_THAT(reader.finish().problem, Catch::Contains("no end"));
}
