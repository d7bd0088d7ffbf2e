// When what has failed is tried again: ever more seldom, each by itself. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>

namespace proxy {

template <class Key>
class RetryPauses {
public:
    using Time = std::chrono::steady_clock::time_point;

    RetryPauses(std::chrono::seconds first, std::chrono::seconds longest) : first_(first), longest_(longest) {}

    void failed(const Key& key, Time now) {
        Row& row = rows_[key];
        const auto doublings = std::min<std::size_t>(row.failures++, 16);
        row.until = now + std::min(first_ * (1U << doublings), longest_);
    }
    void worked(const Key& key) { rows_.erase(key); }
    /// It may be tried at once; how often it has failed is not forgotten.
    void end(const Key& key) {
        if (const auto row = rows_.find(key); row != rows_.end())
            row->second.until = {};
    }
    bool lasts(const Key& key, Time now) const {
        const auto row = rows_.find(key);
        return row != rows_.end() && row->second.until > now;
    }

    /// Calls `visit(key, until)` for all that have failed and not worked since.
    template <class Visit>
    void each(Visit visit) const {
        for (const auto& [key, row] : rows_)
            visit(key, row.until);
    }
    bool empty() const { return rows_.empty(); }
    void clear() { rows_.clear(); }

private:
    struct Row {
        std::size_t failures = 0;
        Time until;
    };

    std::chrono::seconds first_;
    std::chrono::seconds longest_;
    std::map<Key, Row> rows_;
};

}  // namespace proxy
