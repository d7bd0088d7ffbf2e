#include "api/cluster/gunzip.hpp"

#include <zlib.h>

#include <catch2/catch.hpp>

#include "packed.hpp"

namespace {

/// Fed and read in pieces of these sizes.
tl::expected<std::string, std::string> unpacked(std::string_view bytes, std::size_t piece, std::size_t room_size) {
    api::Gunzip gunzip;
    std::string all;
    std::string room(room_size, '\0');
    for (std::size_t at = 0; at < bytes.size() && !gunzip.complete(); at += piece) {
        gunzip.feed(bytes.substr(at, piece));
        for (;;) {
            const auto some = gunzip.next(room);
            if (!some)
                return tl::unexpected(some.error());
            if (some->empty())
                break;
            all += *some;
        }
    }
    return gunzip.complete() ? tl::expected<std::string, std::string>(all) : tl::unexpected(std::string("incomplete"));
}

}  // namespace

TEST_CASE("a stream is unpacked however it is cut") {
    std::string text;
    for (int i = 0; i < 20'000; ++i)
        text += "service-" + std::to_string(i * 7919 % 20'000) + " ";
    const std::string bytes = packed(text);
    CHECK(bytes.size() < text.size() / 2);
    for (const auto& [piece, room] : {std::pair(bytes.size(), std::size_t{65536}), {1, 65536}, {1000, 7}, {65536, 1}})
        CHECK(unpacked(bytes, piece, room) == text);
    CHECK(unpacked(packed(""), 100, 100) == "");
}

TEST_CASE("what is damaged or cut short is said, not delivered as a whole") {
    const std::string bytes = packed(std::string(5000, 'x') + "y");
    CHECK(unpacked(bytes.substr(0, bytes.size() - 1), 100, 100).error() == "incomplete");
    CHECK_THAT(unpacked("{\"kind\": \"List\"}", 100, 100).error(), Catch::Contains("damaged gzip stream"));
    std::string flipped = bytes;
    flipped[flipped.size() - 6] ^= 1;  // the checksum
    CHECK_THAT(unpacked(flipped, 100, 10'000).error(), Catch::Contains("damaged gzip stream"));
}
