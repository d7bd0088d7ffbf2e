// What is said when resources cannot be kept up to date, and how often.
#include "api/cluster/troubles.hpp"

#include <catch2/catch.hpp>

#include "api/cluster/backoff.hpp"

using namespace api;
using namespace std::chrono_literals;

namespace {

using Call = ListWatch::Call;
const Resource services{"services", "Service", "/api/v1/services", "", ""};
const Resource slices{"endpointslices", "EndpointSlice", "/apis/discovery.k8s.io/v1/endpointslices", "", ""};
const Troubles::Time start = Troubles::Time() + 1h;

const Trouble refused{Trouble::Cause::unreachable, "https://a:443: connect: Connection refused"};
const Trouble unknown{Trouble::Cause::credentials, "https://a:443: 401 Unauthorized"};

}  // namespace

TEST_CASE("a refusal says what is to be done: a token, or which rule is missing") {
    struct Row {
        Ending ending;
        int code;
        Call call;
        const Resource& resource;
        const char* what;
        std::vector<std::string> words;
    };
    const auto row = GENERATE(values<Row>({
        {Ending::unreachable, 0, Call::list, services, "cannot be reached", {}},
        {Ending::busy, 503, Call::watch, services, "cannot be reached", {}},
        {Ending::unauthorized, 401, Call::list, services, "does not accept our credentials", {"token", "expired"}},
        {Ending::refused, 403, Call::list, services, "does not permit", {"verb list", "[\"\"]", "[services]"}},
        {Ending::refused,
         403,
         Call::watch,
         slices,
         "does not permit",
         {"verb watch", "[\"discovery.k8s.io\"]", "[endpointslices]"}},
        {Ending::refused, 404, Call::list, slices, "of no use", {}},
        {Ending::broken, 0, Call::list, services, "of no use", {}},
        {Ending::expired, 410, Call::watch, services, "of no use", {}},
    }));
    CAPTURE(word(row.ending), row.code);
    Troubles troubles;
    const Trouble trouble = trouble_of(row.resource, row.call, row.ending, row.code, "what the server said");
    CHECK_FALSE(troubles.failed(row.resource.name, trouble, start));
    const auto news = troubles.failed(row.resource.name, trouble, start + 1s);
    REQUIRE(news);
    const std::string text = to_string(*news);
    CHECK_THAT(text, Catch::Contains(row.what) && Catch::Contains("what the server said") &&
                         Catch::Contains(row.resource.name));
    for (const std::string& part : row.words)
        CHECK_THAT(text, Catch::Contains(part));
}

TEST_CASE("one line for one cause, however many resources and attempts; again after 10, 20, 40 and then 60 minutes") {
    Troubles troubles;
    std::vector<std::size_t> told;
    for (auto at = 0s; at < 4h; at += 30s)
        for (const char* resource : {"services", "endpointslices", "nodes"})
            if (const auto news = troubles.failed(resource, refused, start + at))
                told.push_back(news->attempts);
    // At 30 s, and 10, 30, 70, 130 and 190 minutes later.
    CHECK(told == std::vector<std::size_t>{4, 64, 184, 424, 784, 1144});
    REQUIRE(troubles.now().size() == 1);
    CHECK_THAT(troubles.now()[0].reason, Catch::StartsWith("endpointslices, nodes, services: https://a:443"));
}

TEST_CASE("each missing permission is a cause of its own, a token that is not known is one for all") {
    Troubles troubles;
    int told = 0;
    for (int i = 0; i < 3; ++i)
        for (const Resource& resource : {services, slices}) {
            told += troubles.failed(resource.name, unknown, start) ? 1 : 0;
        }
    CHECK(told == 1);
    for (int i = 0; i < 3; ++i)
        for (const Resource& resource : {services, slices}) {
            const Trouble trouble = trouble_of(resource, Call::list, Ending::refused, 403, "403");
            told += troubles.failed(resource.name, trouble, start) ? 1 : 0;
        }
    CHECK(told == 3);
    CHECK(troubles.now().size() == 2);
    CHECK(troubles.lasts("services"));
}

TEST_CASE("causes that take turns are told of once each; what was over and comes again is told again") {
    Troubles troubles;
    int told = 0;
    for (int i = 0; i < 20; ++i)
        told += troubles.failed("services", i % 2 == 0 ? refused : unknown, start + i * 1s) ? 1 : 0;
    CHECK(told == 2);
    CHECK(troubles.now().size() == 1);
    troubles.over("services");
    CHECK(troubles.now().empty());
    CHECK_FALSE(troubles.any("services"));
    CHECK_FALSE(troubles.failed("services", refused, start + 1min));  // a blip
    CHECK_FALSE(troubles.lasts("services"));
    CHECK(troubles.failed("services", refused, start + 1min));
}

TEST_CASE("pauses count from the second failure, where the next request is another one; a proof ends them") {
    Streak streak;
    CHECK(streak.failed(true, 0) == 0ms);
    CHECK(streak.failed(true, 0) == 1600ms);
    CHECK(streak.failed(true, 0) == 3200ms);
    CHECK(streak.lasts());
    streak.proven();
    CHECK_FALSE(streak.lasts());
    CHECK(streak.failed(false, 0) == 800ms);
    CHECK(streak.failed(true, 0) == 1600ms);
}
