// Which API server to ask, and when.
#include <catch2/catch.hpp>

#include "api/cluster/backoff.hpp"
#include "api/cluster/server_pool.hpp"
#include "api/cluster/server_url.hpp"

using namespace api;
using namespace std::chrono_literals;

TEST_CASE("the address of a server is read, or refused with a remedy") {
    struct Row {
        const char* text;
        const char* expected;  // as to_string() writes it, or a part of the error
    };
    const auto row = GENERATE(values<Row>({
        {"https://10.0.0.1:6443", "https://10.0.0.1:6443"},
        {"https://api.example", "https://api.example:443"},
        {"https://[fd00::1]:6443", "https://[fd00::1]:6443"},
        {"https://api.example/k8s/c-1/", "https://api.example:443/k8s/c-1"},
        {"http://127.0.0.1:8001", "http://127.0.0.1:8001"},
        {"http://localhost", "http://localhost:80"},
        {"http://10.0.0.1:8080", "would send the token in clear"},
        {"10.0.0.1:6443", "is no URL; write https://HOST:PORT"},
        {"ftp://a", "must begin with https://"},
        {"https://:6443", "has no host"},
        {"https://a:70000", "a port outside 1..65535"},
        {"https://a:0", "a port outside 1..65535"},
        {"https://[fd00::1", "has no host"},
        {"https://[fe80::1%eth0]:6443", "https://[fe80::1%25eth0]:6443"},
        {"https://[fe80::1%25eth0]:6443", "https://[fe80::1%25eth0]:6443"},
        {"https://[fe80::1%]", "has no host"},
        {"https://[api.example]", "has no host"},
        {"https://a%b", "has no host"},
        {"https://user@a", "may have a host, a port and a path only"},
        {"https://a?b", "may have a host, a port and a path only"},
    }));
    CAPTURE(row.text);
    const auto url = parse_server_url(row.text);
    CHECK_THAT(url ? to_string(*url) : url.error(), Catch::Contains(row.expected));
}

TEST_CASE("pauses double from 0.8 s to 30 s, and jitter adds up to as much") {
    CHECK(pause_after(1, 0) == 800ms);
    CHECK(pause_after(1, 1) == 1600ms);
    CHECK(pause_after(2, 0) == 1600ms);
    CHECK(pause_after(6, 0) == 25600ms);
    CHECK(pause_after(7, 0) == 30s);
    CHECK(pause_after(1000, 1) == 60s);
}

TEST_CASE("a server that failed is left alone, and another one is asked") {
    ServerPool pool(2);
    const Time start = Time() + 1h;
    CHECK(pool.choose().server == 0);
    pool.failed(0, start, start + 1s, 0);
    CHECK(pool.choose().server == 1);
    CHECK(pool.choose().not_before <= start);
    pool.succeeded(1, start + 1s);
    CHECK(pool.choose().server == 1);
    CHECK(pool.worked(1) == start + 1s);
    CHECK(pool.worked(0) == Time());
    pool.failed(1, start + 2s, start + 2s, 0);
    CHECK(pool.choose().server == 0);
    pool.failed(0, start + 3s, start + 3s, 0);
    // Both have failed: the one that may be asked soonest.
    CHECK(pool.choose().server == 1);
    CHECK(pool.choose().not_before == start + 2800ms);
}

TEST_CASE("the server that works stays in use, whichever else may be asked") {
    ServerPool pool(3);
    const Time start = Time() + 1h;
    pool.failed(0, start, start + 1s, 0);
    pool.succeeded(2, start + 1s);
    CHECK(pool.choose().server == 2);
}

TEST_CASE("one failure that several watches see counts once") {
    ServerPool pool(1);
    const Time start = Time() + 1h;
    pool.failed(0, start, start + 1s, 0);
    pool.failed(0, start, start + 1100ms, 0);
    pool.failed(0, start + 500ms, start + 1200ms, 0);
    CHECK(pool.choose().not_before == start + 1800ms);
    pool.failed(0, start + 2s, start + 2s, 0);
    CHECK(pool.choose().not_before == start + 2s + 1600ms);
}

TEST_CASE("what the server asks for is obeyed when it is longer") {
    ServerPool pool(1);
    const Time start = Time() + 1h;
    pool.failed(0, start, start, 0, 7s);
    CHECK(pool.choose().not_before == start + 7s);
    pool.failed(0, start - 1s, start + 1s, 0, 60s);
    CHECK(pool.choose().not_before == start + 61s);
    // A request that succeeds meanwhile does not undo it.
    pool.succeeded(0, start + 2s);
    CHECK(pool.choose().not_before == start + 61s);
}
