#include "base/spelling.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace base {

/// Two rows of the usual table, held in one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> known) {
    if (name.size() > 320)  // a label's key has 317
        return {};
    std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
    std::string_view nearest;
    for (const std::string_view word : known)
        if (const std::size_t distance = edit_distance(name, word); distance < least) {
            least = distance;
            nearest = word;
        }
    return nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?";
}

}  // namespace base
