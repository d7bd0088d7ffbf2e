// What a folder of manifests says as a whole: the last good version of each object, by file; who wins when two files
// name the same object; what changed. Pure: file contents in, transactions out. Holds no objects, only fingerprints.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/folder/manifest_file.hpp"
#include "api/objects/source.hpp"

namespace api {

class ManifestSet {
public:
    /// The present content of a file. Objects that a former content had and this one has not are removed, unless it
    /// is incomplete. An object that another file has given first is refused.
    void update(const std::string& file, ManifestContent content);

    /// The file is gone, and its objects with it.
    void remove(const std::string& file);

    /// The folder itself has a problem (unreadable); empty: it has none. Removes nothing.
    void set_folder_problem(const std::string& folder, const std::string& message);

    /// Objects of all files that are not for us, by kind.
    KindCounts others() const;

    /// Files whose refused objects are free now, because the file that had them first gave them up. Read them again
    /// and update() them. Cleared by the call.
    std::set<std::string> exchange_stale();

    /// What has changed since the last call, in the order in which it was read.
    Transaction exchange_changes(bool initial);

    /// Files of which something is in force, or which have problems.
    std::vector<std::string> files() const;

private:
    struct InForce {
        std::string file;
        std::uint64_t fingerprint = 0;
        int line = 0;
    };
    using Keys = std::unordered_set<Removal, HashRemoval>;
    struct File {
        Keys objects;               // in force, given by this file
        std::set<Removal> refused;  // given by another file first
        std::vector<Problem> problems;
        KindCounts others;
    };

    bool accept(const std::string& file, ManifestEntry& entry, File& known, const Keys& seen);
    void withdraw(const Removal& key);

    std::unordered_map<Removal, InForce, HashRemoval> in_force_;
    std::map<std::string, File> files_;
    std::set<std::string> stale_;
    std::vector<Upsert> upserts_;
    std::set<Removal> removals_;
    std::string folder_;
    std::vector<Problem> folder_problems_;
};

}  // namespace api
