// Messages whose lengths are wrong, and messages that are not the kernel's. That nothing is read behind them shows
// under the address sanitizer (./dev asan), since each is in a piece of memory of exactly its size.
#include "netlink/received.hpp"

#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/genl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <memory>

#include "netlink/nft_table.hpp"
#include "tests/support/netlink_parsers.hpp"

using namespace netlink;

namespace {

Address ip(const char* text) {
    return base::make_address(text);
}

/// Bytes in memory of exactly their size.
class Exact {
public:
    explicit Exact(std::span<const char> bytes) : data_(new char[bytes.size()]), size_(bytes.size()) {
        std::copy(bytes.begin(), bytes.end(), data_.get());
    }
    std::span<char> bytes() { return {data_.get(), size_}; }
    nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(data_.get()); }

private:
    std::unique_ptr<char[]> data_;
    std::size_t size_;
};

std::span<const char> bytes_in(const Message& message) {
    return {reinterpret_cast<const char*>(message.header()), message.header()->nlmsg_len};
}

/// One of each kind that we read, as whole as the kernel sends it.
std::vector<Message> messages() {
    const VirtualServer web{ip("10.96.0.5"), Protocol::tcp, 80};
    const VirtualServer web6{ip("fd00:96::5"), Protocol::udp, 53};
    const Element served{Set::served, web.address, Protocol::tcp, 80};
    const Element marked{Set::internal_mark, web6.address, Protocol::tcp, 80, 0x50460001};
    RouteStyle style;
    style.sources = {ip("192.168.50.10"), ip("fd00:50::10")};
    std::vector<Message> all;
    all.push_back(ipvs::add_service(30, web, {"wrr", true, 600, 0}));
    all.push_back(ipvs::add_service(30, web6, {}));
    all.push_back(ipvs::add_destination(30, web6, {ip("fd00:1::11"), 8080}, 1));
    all.push_back(ipvs::set_config(30, {1, 2, 3}));
    all.push_back(nft::change_elements(true, {&served}));
    all.push_back(nft::change_elements(true, {&marked}));
    all.push_back(add_route(style, {web.address}));
    all.push_back(add_route(style, {web6.address}));
    all.push_back(conntrack::deletion({{ip("10.1.0.11"), 4000}, web, {ip("10.1.0.12"), 8080}, 7, 9, false}));
    for (nft::Step& step : nft::installation_of({{}, {{"input", {nft::counted(), nft::drop()}, "why"}}, ""}))
        all.push_back(std::move(step.message));
    return all;
}

int count(std::span<char> bytes) {
    int found = 0;
    for_each_message(bytes, [&](nlmsghdr*) { ++found; });
    return found;
}

}  // namespace

TEST_CASE("messages are taken out of what has come until one does not fit") {
    struct Row {
        const char* what;
        std::uint32_t first;   // length that the first message says
        std::uint32_t second;  // and the second, 20 bytes behind it
        std::size_t size;      // of what has come
        int messages;
    };
    const Row row = GENERATE(
        Row{"two", 20, 20, 40, 2}, Row{"nothing", 0, 0, 0, 0}, Row{"less than a header", 20, 0, 15, 0},
        Row{"a header that is too short", 15, 20, 40, 0}, Row{"a length of zero", 0, 20, 40, 0},
        Row{"one that goes on behind what has come", 20, 21, 40, 1}, Row{"the largest length", 0xffffffff, 20, 40, 0},
        Row{"one that would wrap", 0xfffffffd, 20, 40, 0}, Row{"a second that would wrap", 20, 0xfffffff0, 40, 1},
        Row{"a last one that is not padded", 20, 17, 37, 2}, Row{"a first one that is not padded", 18, 20, 40, 2},
        Row{"one that is all", 40, 20, 40, 1}, Row{"a rest that is no header", 20, 20, 30, 1});
    CAPTURE(row.what);
    char bytes[40] = {};
    reinterpret_cast<nlmsghdr*>(bytes)->nlmsg_len = row.first;
    reinterpret_cast<nlmsghdr*>(bytes + 20)->nlmsg_len = row.second;
    Exact exact(std::span<const char>(bytes).first(row.size));
    CHECK(count(exact.bytes()) == row.messages);
}

TEST_CASE("a message that is cut anywhere is read to where it goes") {
    for (const Message& message : messages())
        for (std::size_t size = sizeof(nlmsghdr); size < bytes_in(message).size(); ++size) {
            Exact exact(bytes_in(message).first(size));
            exact.header()->nlmsg_len = static_cast<std::uint32_t>(size);
            support::read_as_anything(exact.header());
        }
}

TEST_CASE("a message with a byte that is wrong is read to where it goes") {
    const auto wrong = static_cast<char>(GENERATE(0, 1, 4, 5, 8, 0x7f, 0x80, 0xff));
    for (const Message& message : messages())
        for (std::size_t at = sizeof(std::uint32_t); at < bytes_in(message).size(); ++at) {
            Exact exact(bytes_in(message));
            exact.bytes()[at] = wrong;
            support::read_as_anything(exact.header());
        }
}

TEST_CASE("an attribute of another size is none") {
    char bytes[NLMSG_SPACE(64)] = {};
    auto* attribute = reinterpret_cast<nlattr*>(bytes);
    const auto length = GENERATE(range(0, 24));
    attribute->nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + length);
    CHECK(value_of<std::uint8_t>(attribute).has_value() == (length == 1));
    CHECK(value_of<std::uint16_t>(attribute).has_value() == (length == 2));
    CHECK(value_of<std::uint32_t>(attribute).has_value() == (length == 4));
    CHECK(address_of(attribute).has_value() == (length == 4 || length == 16));
    CHECK(text_of(attribute).empty());
    CHECK_FALSE(value_of<std::uint32_t>(nullptr));
    CHECK_FALSE(address_of(nullptr));
}

TEST_CASE("a text ends where its attribute ends") {
    char bytes[16] = {};
    std::memcpy(bytes + NLA_HDRLEN, "podferry0x", 10);
    auto* attribute = reinterpret_cast<nlattr*>(bytes);
    attribute->nla_len = NLA_HDRLEN + 9;
    CHECK(text_of(attribute) == "podferry0");
}

TEST_CASE("the error in an answer is an errno") {
    struct Row {
        std::uint32_t length;
        int code;
        int error;
    };
    const Row row = GENERATE(Row{NLMSG_LENGTH(4), 0, 0}, Row{NLMSG_LENGTH(4), -ENOENT, ENOENT},
                             Row{NLMSG_LENGTH(4), ENOENT, EPROTO}, Row{NLMSG_LENGTH(4), INT32_MIN, EPROTO},
                             Row{NLMSG_LENGTH(3), -ENOENT, 0}, Row{NLMSG_LENGTH(0), -ENOENT, 0});
    char bytes[NLMSG_SPACE(4)] = {};
    auto* header = reinterpret_cast<nlmsghdr*>(bytes);
    header->nlmsg_len = row.length;
    std::memcpy(NLMSG_DATA(header), &row.code, sizeof(row.code));
    CHECK(error_of(header) == row.error);
}

TEST_CASE("whole messages are understood, and those with a short attribute are not") {
    const Message route = add_route({}, {ip("10.96.0.5")});
    REQUIRE(parse_route(route.header(), 159));
    CHECK_FALSE(parse_route(route.header(), 160));
    nlmsg_find_attr(route.header(), sizeof(rtmsg), RTA_DST)->nla_len = NLA_HDRLEN + 3;
    CHECK_FALSE(parse_route(route.header(), 159));

    const VirtualServer web{ip("10.96.0.5"), Protocol::tcp, 80};
    const Message destination = ipvs::add_destination(30, web, {ip("10.1.0.11"), 8080}, 1);
    REQUIRE(ipvs::parse_destination(destination.header(), web));
    nlattr* nest = nlmsg_find_attr(destination.header(), GENL_HDRLEN, IPVS_CMD_ATTR_DEST);
    nla_find(static_cast<nlattr*>(nla_data(nest)), nla_len(nest), IPVS_DEST_ATTR_ADDR)->nla_len = NLA_HDRLEN + 3;
    CHECK_FALSE(ipvs::parse_destination(destination.header(), web));
}

namespace {

struct Owned {
    explicit Owned(int protocol) : socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol)) {
        address.nl_family = AF_NETLINK;
        socklen_t length = sizeof(address);
        REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0);
        REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    }
    ~Owned() { ::close(socket); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    int socket;
    sockaddr_nl address{};
};

}  // namespace

TEST_CASE("what another process sends is not the kernel's") {
    Owned ours(NETLINK_USERSOCK);
    Owned theirs(NETLINK_USERSOCK);
    nlmsghdr message{sizeof(nlmsghdr), NLMSG_ERROR, 0, 1, 0};
    REQUIRE(::sendto(theirs.socket, &message, sizeof(message), 0, reinterpret_cast<const sockaddr*>(&ours.address),
                     sizeof(ours.address)) == sizeof(message));
    alignas(nlmsghdr) char buffer[4096];
    CHECK(receive_from_kernel(ours.socket, buffer).error == EAGAIN);
}

TEST_CASE("an answer that is larger than the buffer is not taken for one") {
    Owned socket(NETLINK_ROUTE);
    Message message;
    nlmsg_put(message.get(), 0, 0, RTM_GETLINK, 0, NLM_F_DUMP | NLM_F_REQUEST);
    const ifinfomsg body{};
    nlmsg_append(message.get(), const_cast<ifinfomsg*>(&body), sizeof(body), NLMSG_ALIGNTO);
    REQUIRE(::send(socket.socket, message.header(), message.header()->nlmsg_len, 0) > 0);
    alignas(nlmsghdr) char buffer[sizeof(nlmsghdr)];
    const Received received = receive_from_kernel(socket.socket, buffer);
    CHECK(received.error == EMSGSIZE);
    CHECK(received.bytes.size() == sizeof(buffer));
}
