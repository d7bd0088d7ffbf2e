// Keeps automatic choices in a file over restarts. It is written atomically; a broken one is set aside, not used.
#pragma once

#include <string>

#include "proxy/plan/allocate.hpp"

namespace proxy {

class StateFile {
public:
    /// `folder` is created when it does not exist.
    explicit StateFile(std::string folder);

    /// What was remembered; empty, after a warning in the log, when the file cannot be read or understood.
    Choices load() const;

    /// Writes when `choices` differ from what is in the file. A failure is logged once, and again after a success.
    void save(const Choices& choices);

private:
    std::string path_;
    mutable Choices saved_;
    bool failing_ = false;
};

}  // namespace proxy
