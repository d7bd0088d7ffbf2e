// How near two words are: for "did you mean".
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace base {

/// Levenshtein distance: how many letters to add, remove or replace.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// "; did you mean 'selector'?": the nearest of the known words, if no more than a third of `name` is wrong; else
/// empty. A name of more than 320 bytes is near none.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);
inline std::string did_you_mean(std::string_view name, std::initializer_list<std::string_view> known) {
    return did_you_mean(name, std::span(known.begin(), known.size()));
}

}  // namespace base
