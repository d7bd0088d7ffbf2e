// Whatever a server answers, to the API client or to a probe, and however it is cut: no crash, an end, and the same in
// pieces as in one.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "api/cluster/http_answer.hpp"
#include "base/http_reader.hpp"

namespace {

constexpr std::size_t enough = 1 << 20;  // of a body that is packed

/// Steps until there is a result; its error, or whether there is one.
template <class Reader, class Step>
auto until(Reader& reader, std::string_view& left, std::size_t piece, Step step) {
    auto result = step();
    while (result && !*result) {
        const auto room = reader.room();
        if (room.size() == 0) {
            std::fputs("more is needed, without room for it\n", stderr);
            std::abort();
        }
        const std::size_t size = std::min({room.size(), left.size(), piece});
        std::memcpy(room.data(), left.data(), size);
        reader.received(size);
        left.remove_prefix(size);
        if (size == 0)
            reader.closed();
        result = step();
    }
    return result;
}

/// What of an answer must not depend on how it is cut.
std::string api_answer(std::string_view bytes, std::size_t piece) {
    api::HttpAnswer answer;
    answer.begin();
    const auto head = until(answer, bytes, piece, [&] { return answer.head(); });
    if (!head)
        return "no head";
    std::string all = std::to_string((*head)->status) + " ";
    if ((*head)->retry_after)
        all += std::to_string((*head)->retry_after->count());
    while (all.size() < enough) {
        const auto text = until(answer, bytes, piece, [&] { return answer.text(); });
        if (!text)
            return "broken";  // how much is delivered before may depend on it
        if ((*text)->empty())
            return all + " ended";
        all += **text;
    }
    return all.substr(0, enough);
}

std::string probe_answer(std::string_view bytes, std::size_t piece) {
    base::HttpReader reader(std::size_t{64} * 1024);
    const auto head = until(reader, bytes, piece, [&] { return reader.head(); });
    return head ? std::to_string(reader.status()) + " " + std::string(reader.field("Location")) : "no head";
}

void expect_same(const std::string& whole, const std::string& pieces) {
    if (whole == pieces)
        return;
    std::fprintf(stderr, "what is read depends on how it is cut: '%s' and '%s'\n", whole.c_str(), pieces.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const std::size_t piece : {std::size_t{1}, size / 2 + 1}) {
        expect_same(api_answer(bytes, size + 1), api_answer(bytes, piece));
        expect_same(probe_answer(bytes, size + 1), probe_answer(bytes, piece));
    }
    return 0;
}
