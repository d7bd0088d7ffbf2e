// Events as they are written, and how many.
#include "api/cluster/event_post.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace api;
using namespace std::chrono_literals;

namespace {

const auto moment = std::chrono::system_clock::time_point(1'767'225'600'000'001us);

EventNote of_service(const std::string& name, const std::string& space = "shop") {
    return {"NotAsAsked", "sentence", true, "Service", name, space, "u1"};
}

}  // namespace

TEST_CASE("events go to the object's namespace, and a Node's to default") {
    const EventNote note{"Starting", "it \"starts\"", false, "Node", "n1", "", "n1"};
    CHECK(event_space(note) == "default");
    const std::string json = event_json(note, "n1", moment);
    CHECK_THAT(json, Catch::Contains(R"("eventTime":"2026-01-01T00:00:00.000001Z")"));
    CHECK_THAT(json, Catch::Contains(R"("note":"it \"starts\"")"));
    CHECK_THAT(json, Catch::Contains(R"("regarding":{"kind":"Node","name":"n1","apiVersion":"v1","uid":"n1"})"));
    CHECK(event_space({"", "", false, "Service", "web", "shop", ""}) == "shop");
}

TEST_CASE("what the API server would refuse for its length is cut") {
    EventNote note = of_service(std::string(250, 'x') + ".ab");
    note.reason = std::string(200, 'R');
    for (int i = 0; i < 600; ++i)
        note.message += "é";
    const auto event = boost::json::parse(event_json(note, std::string(253, 'n'), moment)).as_object();
    const auto text = [&](const char* field) { return std::string(event.at(field).as_string()); };
    CHECK(text("note").size() <= 1024);
    CHECK(text("note").size() > 1020);
    CHECK_THAT(text("note"), Catch::EndsWith("é…"));
    CHECK(text("reason") == std::string(128, 'R'));
    CHECK(text("action") == std::string(128, 'R'));
    CHECK(text("reportingInstance") == "podferry-" + std::string(119, 'n'));
    const std::string name(event.at("metadata").at("name").as_string());
    CHECK(name.size() <= 253);
    CHECK_THAT(name, Catch::StartsWith("xxx"));
    CHECK(name.find("..") == std::string::npos);
    CHECK(event.at("regarding").at("name").as_string() == note.name);
}

TEST_CASE("the name of an event is a DNS name wherever it is cut") {
    for (std::size_t dot = 230; dot < 245; ++dot) {
        std::string name(253, 'a');
        name[dot] = '.';
        name[dot - 1] = '-';
        name[dot - 1] = 'b';
        const auto event = boost::json::parse(event_json(of_service(name), "n1", moment)).as_object();
        const std::string made(event.at("metadata").at("name").as_string());
        CHECK(made.size() <= 253);
        CHECK(made.find("..") == std::string::npos);
    }
}

TEST_CASE("an event shows no control characters") {
    EventNote note = of_service("web");
    note.message = "rr\x1b[2J\nforged";
    CHECK(boost::json::parse(event_json(note, "n1", moment)).at("note").as_string() == "rr\\x1b[2J\\nforged");
}

TEST_CASE("25 events of one object at once, then one in five minutes") {
    EventBudget budget;
    const auto start = std::chrono::steady_clock::time_point() + 1h;
    for (int i = 0; i < 25; ++i)
        CHECK(budget.spend(of_service("web"), start));
    CHECK_FALSE(budget.spend(of_service("web"), start));
    CHECK_FALSE(budget.spend(of_service("web"), start + 299s));
    CHECK(budget.spend(of_service("other"), start + 299s));
    CHECK(budget.spend(of_service("web"), start + 301s));
    CHECK_FALSE(budget.spend(of_service("web"), start + 302s));
}

TEST_CASE("a namespace with many objects, and many namespaces, are bounded, and leave the Node its own events") {
    EventBudget budget;
    const auto start = std::chrono::steady_clock::time_point() + 1h;
    const auto taken = [&](int count, int spaces, std::chrono::steady_clock::time_point now) {
        int taken = 0;
        for (int i = 0; i < count; ++i)
            taken += budget.spend(of_service("s" + std::to_string(i), "n" + std::to_string(i % spaces)), now) ? 1 : 0;
        return taken;
    };
    CHECK(taken(10'000, 1, start) == 50);
    CHECK(taken(10'000, 1, start + 61s) == 1);
    CHECK(taken(10'000, 1000, start + 61s) == 55);  // 49 were left, and 6 came
    CHECK(taken(10'000, 1000, start + 61s) == 0);
    CHECK(taken(10'000, 1000, start + 72s) == 1);
    CHECK(budget.spend({"Starting", "", false, "Node", "n1", "", "n1"}, start + 72s));
}

TEST_CASE("a flood of names does not make the budget grow") {
    EventBudget budget;
    auto now = std::chrono::steady_clock::time_point() + 1h;
    for (int i = 0; i < 10'000; ++i)
        budget.spend(of_service("s" + std::to_string(i), "n" + std::to_string(i)), now += 10s);
    CHECK(budget.size() <= 2 * 2048);
}

TEST_CASE("why an event is lost, by the server's answer") {
    CHECK(loss_of(403) == EventLoss::forbidden);
    CHECK(loss_of(401) == EventLoss::forbidden);
    CHECK(loss_of(422) == EventLoss::invalid);
    CHECK(loss_of(400) == EventLoss::invalid);
    CHECK(loss_of(500) == EventLoss::other);
    CHECK(word(EventLoss::too_many) == "too_many");
    CHECK(word(EventLoss::other) == "other");
}
