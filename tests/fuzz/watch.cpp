// Whatever comes on a watch, and however it is cut and packed: no crash, and the same events in pieces as in one.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "api/cluster/gunzip.hpp"
#include "api/cluster/wire.hpp"

namespace {

struct Read {
    std::size_t events = 0;
    std::string versions;
    bool broken = false;
};

Read read(std::string_view text, std::size_t cut) {
    Read result;
    api::EventReader reader([&](const api::WatchEvent& event) {
        ++result.events;
        result.versions += event.object.version + ";";
    });
    result.broken = !reader.feed(text.substr(0, cut)).empty() || !reader.feed(text.substr(cut)).empty();
    return result;
}

void unpack(std::string_view packed) {
    api::Gunzip gunzip;
    std::array<char, 4096> room{};
    gunzip.feed(packed);
    for (int i = 0; i < 1000; ++i)
        if (const auto text = gunzip.next(room); !text || text->empty())
            return;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    unpack(text);
    const Read whole = read(text, size);
    const Read pieces = read(text, size / 2);
    if (whole.broken != pieces.broken || whole.events != pieces.events || whole.versions != pieces.versions) {
        std::fputs("what is read depends on how it is cut\n", stderr);
        std::abort();
    }
    return 0;
}
