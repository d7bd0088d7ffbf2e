#include "proxy/engine/trigger_times.hpp"

namespace proxy {

void TriggerTimes::note(const api::Transaction& transaction) {
    for (const api::Removal& removal : transaction.removals)
        if (removal.kind == api::Kind::endpoint_slice)
            waiting_.erase(removal.name);
    for (const api::Upsert& upsert : transaction.upserts)
        if (const auto* slice = std::get_if<api::EndpointSlice>(&upsert.object); slice && slice->changed > started_)
            waiting_[slice->name].push_back(slice->changed);
}

void TriggerTimes::note_reading(WallTime now) {
    if (!read_)
        read_ = now;
}

std::vector<std::chrono::duration<double>> TriggerTimes::exchange(WallTime now) {
    std::vector<std::chrono::duration<double>> all;
    if (read_)
        all.emplace_back(now - *read_);
    for (const auto& [slice, times] : waiting_)
        for (const WallTime time : times)
            all.emplace_back(now - time);
    read_.reset();
    waiting_.clear();
    return all;
}

}  // namespace proxy
