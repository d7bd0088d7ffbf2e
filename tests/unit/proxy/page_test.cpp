// Requests and pages as values.
#include "proxy/serve/page.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

using namespace proxy;
namespace asio = boost::asio;

namespace {

Reply reply_of(const Pages& pages, const char* method, const char* target) {
    asio::io_context io;
    const Handler handler = handler_of(pages);
    auto reply = asio::co_spawn(io, handler(parse_target(method, target)), asio::use_future);
    io.run();
    return *reply.get();
}

}  // namespace

TEST_CASE("what a request asks for") {
    struct Row {
        const char* target;
        const char* path;
        std::map<std::string, std::string> query;
    };
    const Row rows[] = {
        {"/status", "/status", {}},
        {"/status?", "/status", {}},
        {"/a%20b?x", "/a%20b", {{"x", ""}}},
        {"/p?namespace=shop&watch=1", "/p", {{"namespace", "shop"}, {"watch", "1"}}},
        {"/p?a=1&a=2", "/p", {{"a", "2"}}},
        {"/p?a=b=c", "/p", {{"a", "b=c"}}},
        {"/p?&&a=1&", "/p", {{"a", "1"}}},
        {"/p?to=10.0.0.1%3A80+tcp", "/p", {{"to", "10.0.0.1:80 tcp"}}},
        {"/p?a=%zz%4", "/p", {{"a", "%zz%4"}}},
        {"/p?%41=%e4", "/p", {{"A", "\xe4"}}},
        {"", "", {}},
    };
    for (const Row& row : rows) {
        INFO(row.target);
        const PageRequest request = parse_target("GET", row.target);
        CHECK(request.path == row.path);
        CHECK(request.query == row.query);
    }
}

TEST_CASE("a page is a function of the request or of nothing, at once or in turns") {
    const Pages pages = {
        {"/nothing", [] { return Reply{200, "", "a"}; }},
        {"/request", [](const PageRequest& request) { return Reply{200, "", request.query.at("x")}; }},
        {"/turns", []() -> asio::awaitable<Reply> { co_return Reply{200, "", "c"}; }},
        {"/request-turns",
         [](const PageRequest& request) -> asio::awaitable<Reply> { co_return Reply{200, "", request.query.at("x")}; }},
    };
    CHECK(reply_of(pages, "GET", "/nothing").body == "a");
    CHECK(reply_of(pages, "HEAD", "/request?x=b").body == "b");
    CHECK(reply_of(pages, "GET", "/turns").body == "c");
    CHECK(reply_of(pages, "GET", "/request-turns?x=d").body == "d");
    CHECK(reply_of(pages, "POST", "/nothing").status == 405);
    const Reply none = reply_of(pages, "GET", "/none?x=1");
    CHECK(none.status == 404);
    CHECK_THAT(none.body, Catch::Contains("  /request-turns\n"));
}
