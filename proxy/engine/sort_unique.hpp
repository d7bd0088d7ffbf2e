// Sorting a vector of keys, each once. Pure.
#pragma once

#include <algorithm>
#include <vector>

namespace proxy {

/// Costs little when they are sorted already.
template <class T>
void sort_unique(std::vector<T>& values) {
    if (!std::is_sorted(values.begin(), values.end()))
        std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    values.shrink_to_fit();
}

}  // namespace proxy
