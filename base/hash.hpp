// FNV-1a: the same on every machine and in every build, unlike std::hash. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

namespace detail {

template <class Number>
constexpr Number fnv1a(std::string_view text, Number start, Number prime) {
    for (const char c : text)
        start = (start ^ static_cast<unsigned char>(c)) * prime;
    return start;
}

}  // namespace detail

constexpr std::uint32_t fnv1a_32(std::string_view text) {
    return detail::fnv1a<std::uint32_t>(text, 2166136261U, 16777619U);
}

constexpr std::uint64_t fnv1a_64(std::string_view text) {
    return detail::fnv1a<std::uint64_t>(text, 14695981039346656037ULL, 1099511628211ULL);
}

}  // namespace base
