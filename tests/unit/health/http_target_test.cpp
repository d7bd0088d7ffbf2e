// How paths become requests and where redirects lead: the table that Go's net/url gives in the kubelet.
#include "health/checks/http_target.hpp"

#include <catch2/catch.hpp>

using namespace health;

TEST_CASE("a probe's path becomes a request target") {
    struct Row {
        const char* path;
        const char* target;
    };
    const auto row = GENERATE(values<Row>({
        {"", "/"},
        {"/healthz", "/healthz"},
        {"healthz", "/healthz"},
        {"http://other/zz", "/zz"},
        {"http://other", "/"},
        {"//dbl/slash", "/slash"},
        {"?x=1", "/?x=1"},
        {"/a?x=1&y=2", "/a?x=1&y=2"},
        {"/a#frag", "/a"},
        {"/a b", "/a%20b"},
        {"/a%20b", "/a%20b"},
        {"/a%zz", "/a%25zz"},
        {"/a%zz?q#f", "/a%25zz%3Fq%23f"},
        {"/ü", "/%C3%BC"},
        {"/a\"b", "/a%22b"},
        {"/a\r\nX: y", "/a%0D%0AX:%20y"},
    }));
    CAPTURE(row.path);
    CHECK(request_target(row.path) == row.target);
}

TEST_CASE("a Location is resolved against the request") {
    struct Row {
        const char* location;
        const char* url;  // empty: not understood
    };
    const HttpUrl base{false, "10.1.0.5", "8080", "/a/b?q=1"};
    const auto row = GENERATE(values<Row>({
        {"/x", "http://10.1.0.5:8080/x"},
        {"x", "http://10.1.0.5:8080/a/x"},
        {"?z=2", "http://10.1.0.5:8080/a/b?z=2"},
        {"https://10.1.0.5:8443/y", "https://10.1.0.5:8443/y"},
        {"http://example.com", "http://example.com/"},
        {"//[fd00::1]:9/y", "http://[fd00::1]:9/y"},
        {"http://user@host/p#f", "http://host/p"},
        {"ftp://host/", ""},
        {"mailto:x", ""},
        {"http://host:port/", ""},
        {"/a%zz", ""},
    }));
    CAPTURE(row.location);
    const auto url = resolve_location(base, row.location);
    CHECK((url ? to_string(*url) : "") == row.url);
}
