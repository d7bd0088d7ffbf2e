// Whole files.
#pragma once

#include <string>

namespace base {

/// Empty when `text` is in `path` for good, else the reason. A file that cannot be written whole leaves the old one.
std::string write_atomically(const std::string& path, const std::string& text);

}  // namespace base
