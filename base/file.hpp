// Whole files.
#pragma once

#include <cstddef>
#include <string>
#include <system_error>
#include <tl/expected.hpp>

namespace base {

/// A file that people write is no larger, if it is the right one.
inline constexpr std::size_t longest_text_file = std::size_t{1} * 1024 * 1024;

/// What is in the file; std::errc::file_too_large when that is more than `most` bytes. Waits for a pipe.
tl::expected<std::string, std::error_code> read_file(const std::string& path, std::size_t most = longest_text_file);

/// Empty when `text` is in `path` for good, else the reason. A file that cannot be written whole leaves the old one.
std::string write_atomically(const std::string& path, const std::string& text);

}  // namespace base
