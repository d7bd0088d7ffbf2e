// Whatever a server answers to a request for a list, in JSON or protobuf and however it is cut: no crash, and a list
// that is read to its end in pieces is the same as in one.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "api/cluster/wire.hpp"

namespace {

struct Read {
    std::size_t objects = 0;
    api::ListReader::End end;
};

Read read(const char* kind, std::string_view text, std::size_t cut) {
    Read result;
    api::ListReader reader(kind, [&](const api::WireObject&) { ++result.objects; });
    reader.feed(text.substr(0, cut));
    reader.feed(text.substr(cut));
    result.end = reader.finish();
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    api::read_status(text);
    for (const char* kind : {"Service", "EndpointSlice", "Node"}) {
        const Read whole = read(kind, text, size);
        const Read pieces = read(kind, text, size / 2);
        if (whole.end.problem.empty() != pieces.end.problem.empty() ||
            (whole.end.problem.empty() &&
             (whole.objects != pieces.objects || whole.end.version != pieces.end.version))) {
            std::fputs("what is read depends on how it is cut\n", stderr);
            std::abort();
        }
    }
    return 0;
}
