// What the messages of a dump mean.
#include <linux/netlink.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "netlink/socket.hpp"

using namespace netlink;

namespace {

constexpr std::uint32_t ours = 7;
constexpr int object = NLMSG_MIN_TYPE + 1;

struct Part {
    int type = object;
    int flags = NLM_F_MULTI;
    int error = 0;  // of the last message
    std::uint32_t sequence = ours;
};

/// "2 whole": so many objects, and how it ended.
std::string outcome(const std::vector<Part>& parts) {
    DumpState state(ours);
    int objects = 0;
    for (const Part& part : parts) {
        if (state.over())
            return "over too early";
        alignas(nlmsghdr) char bytes[NLMSG_SPACE(sizeof(int))] = {};
        auto* header = reinterpret_cast<nlmsghdr*>(bytes);
        header->nlmsg_len = NLMSG_LENGTH(sizeof(int));
        header->nlmsg_type = static_cast<std::uint16_t>(part.type);
        header->nlmsg_flags = static_cast<std::uint16_t>(part.flags);
        header->nlmsg_seq = part.sequence;
        const int error = -part.error;
        std::memcpy(NLMSG_DATA(header), &error, sizeof(error));
        try {
            objects += state.accept(header) ? 1 : 0;
        } catch (const std::system_error& failure) {
            return "error " + std::to_string(failure.code().value());
        }
    }
    return std::to_string(objects) + (!state.over() ? " not over" : state.whole() ? " whole" : " interrupted");
}

}  // namespace

TEST_CASE("a dump that a change has interrupted is not whole") {
    const int interrupted = NLM_F_MULTI | NLM_F_DUMP_INTR;
    const Part done{NLMSG_DONE};
    struct Row {
        const char* what;
        std::vector<Part> parts;
        const char* outcome;
    };
    const Row rows[] = {
        {"objects and an end", {{}, {}, done}, "2 whole"},
        {"nothing but an end", {done}, "0 whole"},
        {"an answer to a question ends with an ACK", {{}, {NLMSG_ERROR, 0}}, "1 whole"},
        {"no end yet", {{}, {}}, "2 not over"},
        {"interrupted at the first object", {{object, interrupted}, {}, done}, "2 interrupted"},
        {"at the last", {{}, {object, interrupted}, done}, "2 interrupted"},
        {"at the end (NLM_F_DUMP_INTR)", {{}, {NLMSG_DONE, interrupted}}, "1 interrupted"},
        {"at the end (EINTR)", {{}, {NLMSG_DONE, NLM_F_MULTI, EINTR}}, "1 interrupted"},
        {"instead of an answer", {{NLMSG_ERROR, 0, EINTR}}, "0 interrupted"},
        {"another dump was, whose answers still come", {{object, interrupted, 0, ours - 1}, {}, done}, "1 whole"},
        {"another request failed", {{NLMSG_ERROR, 0, EPERM, ours - 1}, done}, "0 whole"},
        {"the table is not there", {{NLMSG_ERROR, 0, ENOENT}}, "error 2"},
        {"it fails on its way", {{}, {NLMSG_DONE, NLM_F_MULTI, ENOMEM}}, "error 12"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(outcome(row.parts) == row.outcome);
    }
}
