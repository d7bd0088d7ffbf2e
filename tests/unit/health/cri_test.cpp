// Commands in containers: what a runtime is asked, and what its answers mean.
#include <catch2/catch.hpp>
#include <limits>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "health/checks/cri.hpp"

using namespace health;
using namespace std::chrono_literals;

namespace {

std::string container(const std::string& id, std::int64_t created_at) {
    std::string bytes;
    protozero::pbf_writer response(bytes);
    protozero::pbf_writer one(response, 1);
    one.add_string(1, id);
    one.add_string(2, "sandbox");
    one.add_int64(7, created_at);
    one.commit();
    return bytes;
}

std::string exec_response(const std::string& out, const std::string& err, int exit_code) {
    std::string bytes;
    protozero::pbf_writer response(bytes);
    if (!out.empty())
        response.add_bytes(1, out);
    if (!err.empty())
        response.add_bytes(2, err);
    if (exit_code != 0)
        response.add_int32(3, exit_code);
    return bytes;
}

ExecSyncReader read(std::string_view bytes, std::size_t piece = 16384) {
    ExecSyncReader reader;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
        reader.take(bytes.substr(0, piece));
    return reader;
}

}  // namespace

TEST_CASE("the runtime is asked for running containers with all of the labels") {
    const std::string bytes =
        list_containers_request({{"io.kubernetes.pod.uid", "u1"}, {"io.kubernetes.container.name", "main"}});
    // ListContainersRequest.filter = 1, ContainerFilter.state = 2 and label_selector = 4, ContainerStateValue.state
    // = 1.
    std::string expected = "\x12\x02\x08\x01";
    expected += std::string("\x22\x1b\x0a\x15") + "io.kubernetes.pod.uid" + "\x12\x02" + "u1";
    expected += std::string("\x22\x24\x0a\x1c") + "io.kubernetes.container.name" + "\x12\x04" + "main";
    protozero::pbf_reader request(bytes);
    REQUIRE(request.next(1));
    CHECK(request.get_string() == expected);
    CHECK_FALSE(request.next());
}

TEST_CASE("the youngest container is the one") {
    const auto [response, id] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {container("a", 5), "a"},
        {container("a", 5) + container("b", 7) + container("c", 6), "b"},
        {container("a", 0), "a"},
        {container("", 9) + container("a", 1), "a"},
    }));
    CHECK(youngest_container(response) == id);
    CHECK_FALSE(youngest_container("\x0a\x7f"));
    CHECK_FALSE(youngest_container(std::string("\x0a\x02\x0a\x7f")));
}

TEST_CASE("a command is sent word by word, with its time in seconds") {
    CHECK(exec_sync_request("c1", {"cat", "", "/tmp/a b"}, 3s) == std::string("\x0a\x02"
                                                                              "c1"
                                                                              "\x12\x03"
                                                                              "cat"
                                                                              "\x12\0"
                                                                              "\x12\x08"
                                                                              "/tmp/a b"
                                                                              "\x18\x03",
                                                                              23));
}

TEST_CASE("what a command has written and how it has ended, in whatever pieces") {
    struct Row {
        std::string bytes;
        bool whole;
        int exit_code;
        std::string output;
    };
    const std::string much(3'000'000, 'x');
    const auto row = GENERATE_REF(values<Row>({
        {"", true, 0, ""},
        {exec_response("out", "err", 0), true, 0, "outerr"},
        {exec_response("", "no such file", 1), true, 1, "no such file"},
        {exec_response("", "command timed out", -1), true, -1, "command timed out"},
        {exec_response(much, much, 137), true, 137, much.substr(0, 10 * 1024)},
        {"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", true, -1, ""},
        {"\x18\xff\xff\xff\xff\x0f", true, -1, ""},
        {std::string("\x21") + "12345678" + "\x2d" + "1234" + "\x18\x07", true, 7, ""},  // fields that nobody knows
        {std::string("\x0a\0\x18\x02", 4), true, 2, ""},
        {"\x0a", false, 0, ""},
        {"\x0a\x05"
         "abc",
         false, 0, "abc"},
        {"\x18", false, 0, ""},
        {"\x18\x80", false, 0, ""},
        {"\x0b", false, 0, ""},  // groups are not of this language
        {"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", false, 0, ""},
    }));
    const ExecSyncReader reader = read(row.bytes, GENERATE(1U, 7U, 16384U));
    CHECK(reader.is_whole() == row.whole);
    CHECK(reader.output() == row.output);
    if (row.whole)
        CHECK(reader.exit_code() == row.exit_code);
}

TEST_CASE("a command that fails or takes too long is a failure; what else a runtime says is its own trouble") {
    struct Row {
        GrpcStatus status;
        std::string response;
        Answer answer;
        const char* reason;
    };
    const auto row = GENERATE(values<Row>({
        {{}, exec_response("fine", "", 0), Answer::success, ""},
        {{}, exec_response("a\n", "b", 3), Answer::failure, "command exited with 3: a\\nb"},
        {{}, exec_response("", "", 1), Answer::failure, "command exited with 1"},
        {{}, exec_response("", "command timed out", -1), Answer::failure, "command exited with -1: command timed out"},
        {{}, "\x0a", Answer::error, "cannot be read"},
        {{GrpcCode::deadline_exceeded, "x"}, "", Answer::failure, "command timed out after 2s"},
        {{GrpcCode::not_found, "gone"}, "", Answer::error, "code = NotFound desc = gone"},
        {{GrpcCode::unavailable, "refused"}, "", Answer::error, "container runtime: rpc error: code = Unavailable"},
        {{GrpcCode::unknown, "OCI runtime exec failed"}, "", Answer::error, "OCI runtime exec failed"},
        {{GrpcCode::internal, ""}, "", Answer::error, "Internal"},
        {{GrpcCode{9}, "not running"}, "", Answer::error, "FailedPrecondition"},
        {{GrpcCode::resource_exhausted, ""}, "", Answer::error, "ResourceExhausted"},
        {{GrpcCode::unimplemented, "unknown service runtime.v1.RuntimeService"}, "", Answer::error, "runtime.v1"},
    }));
    CAPTURE(row.reason);
    const Outcome outcome = judge_exec(row.status, read(row.response), 2s);
    CHECK(outcome.answer == row.answer);
    CHECK_THAT(outcome.reason, Catch::Contains(row.reason));
}
