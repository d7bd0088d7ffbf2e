#include "api/manifest_set.hpp"

#include <algorithm>

namespace api {
namespace {

Removal key_of(const Upsert& upsert) {
    return {static_cast<Kind>(upsert.object.index()), std::visit([](const auto& o) { return o.name; }, upsert.object)};
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
    if (!content.usable)
        return;
    known.refused.clear();
    Keys kept;
    upserts_.reserve(upserts_.size() + content.entries.size());
    for (ManifestEntry& entry : content.entries)
        if (accept(file, entry, known, kept))
            kept.insert(entry.key);
    std::vector<Removal> gone;
    for (const Removal& key : known.objects)
        if (!kept.contains(key))
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
    folder_problems_.clear();
    if (!message.empty())
        folder_problems_.push_back({{folder, 0}, "", message, false});
}

std::set<std::string> ManifestSet::take_stale() {
    return std::exchange(stale_, {});
}

Transaction ManifestSet::take(bool initial) {
    Transaction transaction;
    transaction.upserts = std::exchange(upserts_, {});
    transaction.removals.assign(removals_.begin(), removals_.end());
    removals_.clear();
    transaction.problems = folder_problems_;
    for (const auto& [file, content] : files_)
        transaction.problems.insert(transaction.problems.end(), content.problems.begin(), content.problems.end());
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
