#include "api/folder/manifest_set.hpp"

#include <algorithm>

namespace api {
namespace {

Removal key_of(const Upsert& upsert) {
    return {static_cast<Kind>(upsert.object.index()), std::visit([](const auto& o) { return o.name; }, upsert.object)};
}

/// One line, whatever is there; empty when nothing is.
std::string words_of(const KindCounts& others) {
    constexpr std::size_t named = 10;
    std::vector<std::pair<std::size_t, std::string>> kinds;
    std::size_t all = 0;
    for (const auto& [kind, count] : others) {
        kinds.emplace_back(count, kind);
        all += count;
    }
    std::sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::string list;
    for (std::size_t i = 0; i < std::min(kinds.size(), named); ++i)
        list += (i == 0 ? "" : ", ") + std::to_string(kinds[i].first) + " " + kinds[i].second;
    if (kinds.size() > named)
        list += ", and " + std::to_string(kinds.size() - named) + " more kinds";
    return all == 0 ? ""
                    : std::to_string(all) + (all == 1 ? " object is of a kind" : " objects are of kinds") +
                          " that podferry does not use: " + list;
}

}  // namespace

std::string to_string(const Problem& problem) {
    std::string text = problem.origin.file;
    if (problem.origin.line > 0)
        text += ":" + std::to_string(problem.origin.line);
    if (!problem.object.empty())
        text += (text.empty() ? "" : ": ") + problem.object;
    return text + (text.empty() ? "" : ": ") + problem.message;
}

/// True when the entry, good or bad, keeps the object in force for this file.
bool ManifestSet::accept(const std::string& file, ManifestEntry& entry, File& known, const Keys& seen) {
    const auto present = in_force_.find(entry.key);
    const bool elsewhere = present != in_force_.end() && present->second.file != file;
    if (elsewhere || seen.contains(entry.key)) {
        known.problems.push_back({entry.origin, entry.label,
                                  "is given already in " + present->second.file + ":" +
                                      std::to_string(present->second.line) + "; this one is not used",
                                  false});
        if (elsewhere)
            known.refused.insert(entry.key);
        return false;
    }
    if (!entry.good)
        return present != in_force_.end();
    if (present == in_force_.end() || present->second.fingerprint != entry.fingerprint) {
        removals_.erase(entry.key);
        upserts_.push_back({std::move(entry.object), entry.origin});
    }
    in_force_[entry.key] = {file, entry.fingerprint, entry.origin.line};
    return true;
}

void ManifestSet::withdraw(const Removal& key) {
    in_force_.erase(key);
    std::erase_if(upserts_, [&](const Upsert& upsert) { return key_of(upsert) == key; });
    removals_.insert(key);
    for (const auto& [file, content] : files_)
        if (content.refused.contains(key))
            stale_.insert(file);
}

void ManifestSet::update(const std::string& file, ManifestContent content) {
    File& known = files_[file];
    known.problems = std::move(content.problems);
    known.others = std::move(content.others);
    if (content.complete)
        known.refused.clear();
    Keys kept;
    upserts_.reserve(upserts_.size() + content.entries.size());
    for (ManifestEntry& entry : content.entries)
        if (accept(file, entry, known, kept))
            kept.insert(entry.key);
    std::vector<Removal> gone;
    for (const Removal& key : known.objects)
        if (!content.complete)
            kept.insert(key);
        else if (!kept.contains(key))
            gone.push_back(key);
    known.objects = std::move(kept);
    for (const Removal& key : gone)
        withdraw(key);
}

void ManifestSet::remove(const std::string& file) {
    const auto found = files_.find(file);
    if (found == files_.end())
        return;
    const Keys objects = std::move(found->second.objects);
    files_.erase(found);
    for (const Removal& key : objects)
        withdraw(key);
}

void ManifestSet::set_folder_problem(const std::string& folder, const std::string& message) {
    folder_ = folder;
    folder_problems_.clear();
    if (!message.empty())
        folder_problems_.push_back({{folder, 0}, "", message, false});
}

KindCounts ManifestSet::others() const {
    KindCounts all;
    for (const auto& [file, content] : files_)
        for (const auto& [kind, count] : content.others)
            all[kind] += count;
    return all;
}

std::set<std::string> ManifestSet::exchange_stale() {
    return std::exchange(stale_, {});
}

Transaction ManifestSet::exchange_changes(bool initial) {
    Transaction transaction;
    transaction.upserts = std::exchange(upserts_, {});
    transaction.removals.assign(removals_.begin(), removals_.end());
    removals_.clear();
    transaction.problems = folder_problems_;
    for (const auto& [file, content] : files_)
        transaction.problems.insert(transaction.problems.end(), content.problems.begin(), content.problems.end());
    if (const std::string words = words_of(others()); !words.empty())
        transaction.problems.push_back({{folder_, 0}, "", words, true});
    transaction.initial = initial;
    return transaction;
}

std::vector<std::string> ManifestSet::files() const {
    std::vector<std::string> names;
    for (const auto& [file, content] : files_)
        names.push_back(file);
    return names;
}

}  // namespace api
