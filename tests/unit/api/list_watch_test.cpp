// What to ask an API server next.
#include "api/list_watch.hpp"

#include <catch2/catch.hpp>

using namespace api;

namespace {

const Resource things{"things", "Thing", "/api/v1/things", "labelSelector=%21x", ""};
const Resource narrowed{"things", "Thing", "/api/v1/things", "labelSelector=%21x", "fieldSelector=a%21%3DNone"};

std::string target(const ListWatch& list_watch) {
    return list_watch.next(0).target;
}

ListWatch watching(const std::string& version) {
    ListWatch it(things, false);
    it.page(version, "");
    return it;
}

}  // namespace

TEST_CASE("first a list of any age, then a watch from there") {
    ListWatch it(things, false);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&resourceVersion=0");
    it.page("17", "");
    CHECK(it.watching());
    CHECK(target(it) ==
          "/api/v1/things?labelSelector=%21x&watch=1&allowWatchBookmarks=true&resourceVersion=17&timeoutSeconds=300");
    CHECK_THAT(it.next(1).target, Catch::EndsWith("timeoutSeconds=600"));
    it.seen("21");
    it.seen("");  // an event without a version tells nothing
    it.ended(Ending::closed);
    CHECK_THAT(target(it), Catch::Contains("resourceVersion=21"));
}

TEST_CASE("a watch that breaks goes on from where it was; one that is too old lists anew, as of now") {
    struct Row {
        Ending ending;
        bool lists;
    };
    const auto row = GENERATE(values<Row>({{Ending::closed, false},
                                           {Ending::unreachable, false},
                                           {Ending::busy, false},
                                           {Ending::broken, false},
                                           {Ending::unauthorized, false},
                                           {Ending::refused, false},
                                           {Ending::expired, true},
                                           {Ending::too_large, true},
                                           {Ending::unsupported, true}}));
    CAPTURE(word(row.ending));
    ListWatch it = watching("17");
    it.ended(row.ending);
    if (row.lists)
        CHECK(target(it) == "/api/v1/things?labelSelector=%21x&limit=500");
    else
        CHECK_THAT(target(it), Catch::Contains("resourceVersion=17"));
}

TEST_CASE("pages follow each other; a token that expired makes it one page") {
    ListWatch it = watching("17");
    it.ended(Ending::expired);
    it.page("30", "a b+c");
    CHECK_FALSE(it.watching());
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&limit=500&continue=a%20b%2Bc");
    it.ended(Ending::expired);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&resourceVersion=");
    it.page("31", "");
    it.ended(Ending::expired);
    CHECK_THAT(target(it), Catch::EndsWith("limit=500"));
}

TEST_CASE("a list that breaks between pages begins anew") {
    ListWatch it = watching("17");
    it.ended(Ending::expired);
    it.page("30", "token");
    it.ended(Ending::unreachable);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&limit=500");
}

TEST_CASE("what an older server does not know is left out") {
    ListWatch it(narrowed, false);
    CHECK_THAT(target(it), Catch::Contains("fieldSelector=a%21%3DNone"));
    it.ended(Ending::unsupported);
    CHECK(target(it) == "/api/v1/things?labelSelector=%21x&resourceVersion=0");
}

TEST_CASE("a streamed list is tried first, and left to a list where it is not known") {
    ListWatch it(narrowed, true);
    CHECK(it.next(0).call == ListWatch::Call::stream);
    CHECK_THAT(target(it), Catch::Contains("sendInitialEvents=true&resourceVersionMatch=NotOlderThan"));
    it.ended(Ending::unsupported);
    CHECK(it.next(0).call == ListWatch::Call::list);
    CHECK_THAT(target(it), Catch::Contains("fieldSelector"));

    ListWatch streamed(things, true);
    streamed.streamed("40");
    CHECK(streamed.next(0).call == ListWatch::Call::watch);
    streamed.ended(Ending::expired);
    CHECK(streamed.next(0).call == ListWatch::Call::stream);
}
