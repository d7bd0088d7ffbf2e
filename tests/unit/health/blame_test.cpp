// Which failures of an attempt are the target's, and which this host's.
#include "health/checks/blame.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>
#include <catch2/catch.hpp>
#include <cerrno>

using namespace health;

namespace {

boost::system::error_code code(int number) {
    return {number, boost::system::system_category()};
}

}  // namespace

TEST_CASE("what an error of connecting may have to do with this host") {
    struct Row {
        boost::system::error_code error;
        Doubt doubt;
    };
    const auto row = GENERATE(values<Row>({{code(ECONNREFUSED), Doubt::none},
                                           {code(ECONNRESET), Doubt::none},
                                           {code(EHOSTUNREACH), Doubt::none},
                                           {code(ENETUNREACH), Doubt::route},
                                           {code(ENOBUFS), Doubt::host},
                                           {code(ENOMEM), Doubt::host},
                                           {code(EMFILE), Doubt::host},
                                           {code(ENFILE), Doubt::host},
                                           {code(EADDRNOTAVAIL), Doubt::host},
                                           {code(EPERM), Doubt::host},
                                           {code(EACCES), Doubt::host},
                                           {code(EAFNOSUPPORT), Doubt::host},
                                           {code(ETIMEDOUT), Doubt::silence},
                                           {boost::asio::error::timed_out, Doubt::silence},
                                           {boost::beast::error::timeout, Doubt::silence},
                                           {boost::asio::error::host_not_found, Doubt::none}}));
    CAPTURE(row.error.message());
    CHECK(doubt_of(row.error) == row.doubt);
}

TEST_CASE("what an attempt counts as") {
    struct Row {
        Answer answer;
        Doubt doubt;
        bool others_answer;
        const char* host_trouble;
        Answer counts_as;
    };
    const auto row = GENERATE(values<Row>({{Answer::success, Doubt::none, false, "packets are lost", Answer::success},
                                           {Answer::failure, Doubt::none, false, "packets are lost", Answer::failure},
                                           {Answer::failure, Doubt::silence, false, "", Answer::failure},
                                           {Answer::failure, Doubt::silence, true, "packets are lost", Answer::error},
                                           {Answer::failure, Doubt::host, true, "", Answer::error},
                                           {Answer::failure, Doubt::route, false, "", Answer::error},
                                           {Answer::failure, Doubt::route, true, "", Answer::failure}}));
    const Outcome outcome =
        settle({row.answer, "connect: timeout", {}, row.doubt}, row.others_answer, row.host_trouble);
    CHECK(outcome.answer == row.counts_as);
    CHECK((outcome.reason == "connect: timeout; packets are lost") ==
          (row.doubt == Doubt::silence && *row.host_trouble != 0));
}
