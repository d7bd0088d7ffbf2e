// What to ask an API server next.
#include "api/cluster/list_watch.hpp"

#include <catch2/catch.hpp>

using namespace api;

namespace {

const Resource things{"things", "Thing", "/api/v1/things", "labelSelector=%21x", ""};
const Resource narrowed{"things", "Thing", "/api/v1/things", "labelSelector=%21x", "fieldSelector=a%21%3DNone"};

std::string target(const ListWatch& list_watch) {
    return list_watch.next(0).target;
}

ListWatch watching(const std::string& version) {
    ListWatch it(things);
    it.page(version, "");
    return it;
}

}  // namespace

TEST_CASE("first a list of any age, then a watch from there") {
    ListWatch it(things);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&resourceVersion=0");
    it.page("17", "");
    CHECK(it.watching());
    CHECK(target(it) ==
          "/api/v1/things?labelSelector=%21x&watch=1&allowWatchBookmarks=true&resourceVersion=17&timeoutSeconds=300");
    CHECK_THAT(it.next(1).target, Catch::EndsWith("timeoutSeconds=600"));
    CHECK(it.seen("21"));
    CHECK_FALSE(it.seen("21"));  // the same again is nothing new
    CHECK_FALSE(it.seen(""));    // an event without a version tells nothing
    it.ended(Ending::closed);
    CHECK_THAT(target(it), Catch::Contains("resourceVersion=21"));
}

TEST_CASE("the first list can be asked for as etcd has it now") {
    Resource now = things;
    now.as_of_now = true;
    ListWatch it(now);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&limit=500");
    it.page("17", "more");
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&limit=500&continue=more");
    it.ended(Ending::expired);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&resourceVersion=");
}

TEST_CASE("a watch that breaks goes on from where it was; one that cannot lists anew, never older than before") {
    struct Row {
        Ending ending;
        const char* target;
    };
    const std::string list = "/api/v1/things?labelSelector=%21x&";
    const auto row = GENERATE(values<Row>({{Ending::closed, "watch=1"},
                                           {Ending::unreachable, "watch=1"},
                                           {Ending::busy, "watch=1"},
                                           {Ending::broken, "watch=1"},
                                           {Ending::unauthorized, "watch=1"},
                                           {Ending::refused, "watch=1"},
                                           {Ending::expired, "resourceVersion=17"},
                                           {Ending::silent, "limit=500"},
                                           {Ending::too_large, "limit=500"},
                                           {Ending::unsupported, "limit=500"}}));
    CAPTURE(word(row.ending));
    ListWatch it = watching("17");
    it.ended(row.ending);
    CHECK_THAT(target(it), Catch::StartsWith(list + row.target));
    if (std::string(row.target) == "watch=1")
        CHECK_THAT(target(it), Catch::Contains("&resourceVersion=17&"));
}

TEST_CASE("a list as new as what we know is asked of the caches first, then of etcd") {
    const auto ending = GENERATE(Ending::expired, Ending::too_large);
    ListWatch it = watching("17");
    it.ended(Ending::expired);
    CHECK_THAT(target(it), Catch::EndsWith("&resourceVersion=17"));
    it.ended(ending);
    CHECK_THAT(target(it), Catch::EndsWith("&limit=500"));
    it.page("30", "");
    it.ended(Ending::expired);
    CHECK_THAT(target(it), Catch::EndsWith("&resourceVersion=30"));
}

TEST_CASE("pages follow each other; a token that expired makes it one page") {
    ListWatch it = watching("17");
    it.ended(Ending::silent);
    it.page("30", "a b+c");
    CHECK_FALSE(it.watching());
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&limit=500&continue=a%20b%2Bc");
    it.ended(Ending::expired);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&resourceVersion=");
    it.page("31", "");
    it.ended(Ending::silent);
    CHECK_THAT(target(it), Catch::EndsWith("limit=500"));
}

TEST_CASE("a list that breaks between pages begins anew") {
    ListWatch it = watching("17");
    it.ended(Ending::silent);
    it.page("30", "token");
    it.ended(Ending::unreachable);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&limit=500");
}

TEST_CASE("what an older server does not know is left out") {
    ListWatch it(narrowed);
    CHECK_THAT(target(it), Catch::Contains("fieldSelector=a%21%3DNone"));
    it.ended(Ending::unsupported);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&resourceVersion=0");
}
