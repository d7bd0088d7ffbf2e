// Protobuf messages for tests, by the numbers of generated.proto.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <utility>

namespace protobuf {

inline std::string text(std::uint32_t number, const std::string& value) {
    std::string bytes;
    protozero::pbf_writer(bytes).add_string(number, value);
    return bytes;
}

inline std::string integer(std::uint32_t number, std::int64_t value) {
    std::string bytes;
    protozero::pbf_writer(bytes).add_int64(number, value);
    return bytes;
}

/// A map of texts.
inline std::string map(std::uint32_t number, std::initializer_list<std::pair<std::string, std::string>> entries) {
    std::string bytes;
    for (const auto& [key, value] : entries)
        bytes += text(number, text(1, key) + text(2, value));
    return bytes;
}

/// An answer's body.
inline std::string answer(const std::string& kind, const std::string& raw) {
    const std::string type = text(1, "v1") + text(2, kind);
    return std::string("k8s\0", 4) + text(1, type) + text(2, raw) + text(3, "") + text(4, "");
}

inline std::string list_answer(const std::string& kind, std::initializer_list<std::string> items,
                               const std::string& version, const std::string& token = {}) {
    std::string raw = text(1, text(1, "") + text(2, version) + text(3, token));
    for (const std::string& item : items)
        raw += text(2, item);
    return answer(kind, raw);
}

}  // namespace protobuf
