// A list, read in pieces, for tests of both formats.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/cluster/wire.hpp"

struct ReadList {
    std::vector<api::WireObject> objects;
    api::ListReader::End end;
};

inline ReadList read_list(const std::string& kind, std::string_view bytes, std::size_t piece = 1'000'000) {
    ReadList result;
    api::ListReader reader(kind, [&](api::WireObject object) { result.objects.push_back(std::move(object)); });
    for (std::size_t at = 0; at < bytes.size(); at += piece)
        reader.feed(bytes.substr(at, piece));
    result.end = reader.finish();
    return result;
}

/// What is wrong with an object, a line each.
inline std::string mistakes_of(const api::WireObject& object) {
    std::string lines;
    for (const api::Mistake& mistake : object.mistakes)
        lines += to_string(mistake) + "\n";
    return lines;
}
