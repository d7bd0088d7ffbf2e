// Who podferry goes on as.
#include "proxy/host/privileges.hpp"

#include <catch2/catch.hpp>

using namespace proxy;

TEST_CASE("a user is a number, and not root") {
    CHECK(parse_user("65532") == User{65532, 65532});
    CHECK(parse_user("65532:1000") == User{65532, 1000});
    CHECK(parse_user("65532:0") == User{65532, 0});
    for (const char* wrong :
         {"", "0", "0:1", "podferry", "-1", "65532:", ":1", "65532:x", "4294967295", "65532 ", "1:2:3"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_user(wrong));
    }
}
