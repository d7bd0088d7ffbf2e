// Steps down from root to a user that may administer the network and nothing else. A Kubernetes container that is not
// started as root has no capabilities at all (its `capabilities.add` limits what root may: there is no ambient set), so
// podferry is started as root there and gives up what it does not need (`--user`).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace proxy {

struct User {
    uid_t user = 0;
    gid_t group = 0;
    bool operator==(const User&) const = default;
};

/// "65532" (the group has the same number) or "65532:1000". The error is a sentence.
tl::expected<User, std::string> parse_user(std::string_view text);

/// Makes the folder, and what is in it, the user's. Its group stays, and may do the same there: a podferry that stays
/// root without the right to pass over owners (CAP_DAC_OVERRIDE) goes on with it. Needs CAP_CHOWN. Throws
/// std::system_error.
void give_folder(const std::string& folder, const User& user);

/// While it lives, files are opened as that user. The process must be root and have CAP_SETUID. Throws
/// std::system_error.
class FilesAs {
public:
    explicit FilesAs(const User& user);
    ~FilesAs();
    FilesAs(const FilesAs&) = delete;
    FilesAs& operator=(const FilesAs&) = delete;
};

/// Does it for good, and with CAP_NET_ADMIN as the only capability. Call it while there is one thread. Needs CAP_SETUID
/// and CAP_SETGID. Throws std::system_error.
void become(const User& user);

}  // namespace proxy
