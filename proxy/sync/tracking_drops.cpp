#include "proxy/sync/tracking_drops.hpp"

#include <iterator>
#include <sstream>
#include <string>

#include "base/file.hpp"

namespace proxy {

using namespace std::chrono_literals;

std::optional<std::uint64_t> parse_tracking_drops(std::string_view text) {
    std::istringstream lines{std::string(text)};
    std::string line;
    std::getline(lines, line);
    std::istringstream heading(line);
    int column = -1;
    int at = 0;
    for (std::string name; heading >> name; ++at)
        if (name == "drop")
            column = at;
    if (column < 0)
        return std::nullopt;
    std::uint64_t sum = 0;
    while (std::getline(lines, line)) {
        std::istringstream numbers(line);
        numbers >> std::hex;
        std::uint64_t number = 0;
        for (int i = 0; i <= column; ++i)
            if (!(numbers >> number))
                return std::nullopt;
        sum += number;
    }
    return sum;
}

std::optional<std::uint64_t> read_tracking_drops() {
    return parse_tracking_drops(base::read_file("/proc/net/stat/nf_conntrack").value_or(""));
}

bool TrackingDrops::rising(std::optional<std::uint64_t> drops, Time now) {
    if (!drops)
        return false;
    if (!newer_ || now - newer_->at >= 1s) {
        older_ = newer_;
        newer_ = Look{now, *drops};
    }
    return older_ && *drops > older_->drops;
}

}  // namespace proxy
