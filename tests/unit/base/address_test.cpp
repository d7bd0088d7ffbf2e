#include "base/address.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "base/asio_address.hpp"
#include "base/prefix.hpp"

using base::Address;

namespace {

/// "v6 loopback ...": what it says of itself.
std::string nature(const Address& address) {
    std::string text = address.is_v6() ? "v6" : "v4";
    text += address.is_unspecified() ? " unspecified" : "";
    text += address.is_loopback() ? " loopback" : "";
    text += address.is_multicast() ? " multicast" : "";
    text += address.is_link_local() ? " link-local" : "";
    return text + (address.is_v4_mapped() ? " mapped" : "");
}

}  // namespace

TEST_CASE("an address says what it is, and is the same to Boost.Asio") {
    struct Row {
        const char* text;
        const char* nature;
    };
    const Row row = GENERATE(values<Row>({
        {"0.0.0.0", "v4 unspecified"},
        {"10.96.0.1", "v4"},
        {"126.255.255.255", "v4"},
        {"127.0.0.53", "v4 loopback"},
        {"169.254.169.254", "v4 link-local"},
        {"169.255.0.1", "v4"},
        {"223.255.255.255", "v4"},
        {"224.0.0.1", "v4 multicast"},
        {"239.255.255.255", "v4 multicast"},
        {"240.0.0.1", "v4"},
        {"255.255.255.255", "v4"},
        {"::", "v6 unspecified"},
        {"::1", "v6 loopback"},
        {"::2", "v6"},
        {"1::1", "v6"},
        {"fd00:96::a", "v6"},
        {"fe7f::1", "v6"},
        {"fe80::1", "v6 link-local"},
        {"febf::1", "v6 link-local"},
        {"fec0::1", "v6"},
        {"ff02::1", "v6 multicast"},
        {"::ffff:10.0.0.1", "v6 mapped"},
        {"::fffe:a00:1", "v6"},
        {"64:ff9b::a00:1", "v6"},
    }));
    CAPTURE(row.text);
    const Address address = base::make_address(row.text);
    CHECK(nature(address) == row.nature);
    CHECK(address.to_string() == row.text);
    const auto theirs = boost::asio::ip::make_address(row.text);
    CHECK(to_asio(address) == theirs);
    CHECK(base::from_asio(theirs) == address);
    CHECK(address.is_loopback() == theirs.is_loopback());
    CHECK(address.is_multicast() == theirs.is_multicast());
    CHECK(Address(address.bytes()) == address);
}

TEST_CASE("what is no address is none") {
    const std::string text = GENERATE(as<std::string>(), "", " ", "web", "10.0.0", "10.0.0.256", "010.0.0.1",
                                      "10.0.0.1 ", " 10.0.0.1", "10.0.0.1/32", "fd00::1%eth0", "fe80::1%1", "[::1]",
                                      "::1::", "12345::", std::string("10.0.0.1\0x", 10), std::string(100, '1'));
    CAPTURE(text);
    CHECK_FALSE(base::parse_address(text));
    CHECK_THROWS_AS(base::make_address(text), std::invalid_argument);
}

TEST_CASE("addresses are in the order of their numbers, IPv4 first") {
    const char* const ordered[] = {"0.0.0.0", "9.255.255.255", "10.0.0.1", "255.255.255.255",
                                   "::",      "::1",           "1::",      "fd00::"};
    for (std::size_t i = 1; i < std::size(ordered); ++i)
        CHECK(base::make_address(ordered[i - 1]) < base::make_address(ordered[i]));
    CHECK(Address::v4(0x0a600001) == base::make_address("10.96.0.1"));
    CHECK(base::make_address("10.96.0.1").number() == 0x0a600001);
}

TEST_CASE("a prefix is read with its host bits clear, a network also with some") {
    struct Row {
        const char* text;
        const char* prefix;
        const char* network;
    };
    const Row row = GENERATE(values<Row>({
        {"10.96.0.0/16", "10.96.0.0/16", "10.96.0.0/16"},
        {"10.96.7.1/16", "-", "10.96.0.0/16"},
        {"10.96.7.1/32", "10.96.7.1/32", "10.96.7.1/32"},
        {"10.96.7.1/0", "-", "0.0.0.0/0"},
        {"10.96.7.255/25", "-", "10.96.7.128/25"},
        {"fd00::1/64", "-", "fd00::/64"},
        {"fd00:96::/112", "fd00:96::/112", "fd00:96::/112"},
        {"fd00::ffff/113", "-", "fd00::8000/113"},
        {"::/0", "::/0", "::/0"},
        {"10.96.0.0", "-", "-"},
        {"10.96.0.0/", "-", "-"},
        {"10.96.0.0/33", "-", "-"},
        {"fd00::/129", "-", "-"},
        {"10.96.0.0/-1", "-", "-"},
        {"0.0.0.0/-0", "-", "-"},
        {"10.96.0.0/+8", "-", "-"},
        {"10.96.0.0/8x", "-", "-"},
        {"10.96.0.0/99999999999", "-", "-"},
        {"pods/8", "-", "-"},
        {"fe80::1%1/64", "-", "-"},
    }));
    CAPTURE(row.text);
    const auto text = [](const std::optional<base::Prefix>& prefix) { return prefix ? to_string(*prefix) : "-"; };
    CHECK(text(base::parse_prefix(row.text)) == row.prefix);
    CHECK(text(base::parse_network(row.text)) == row.network);
}

TEST_CASE("the addresses of a prefix are numbered from its first one") {
    const auto at = [](const char* prefix, std::uint64_t offset) {
        return base::address_at(*base::parse_prefix(prefix), offset).to_string();
    };
    CHECK(at("10.96.0.0/16", 0) == "10.96.0.0");
    CHECK(at("10.96.0.0/16", 65535) == "10.96.255.255");
    CHECK(at("0.0.0.0/0", 0xffffffff) == "255.255.255.255");
    CHECK(at("fd00::fff0/124", 15) == "fd00::ffff");
    CHECK(at("fd00::/64", 0x100000000) == "fd00::1:0:0");
}
