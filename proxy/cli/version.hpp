// Which build this is.
#pragma once

#include <string_view>

namespace proxy {

/// "commit 0123456789ab of 2026-11-28", "..., with changes", or "commit unknown". The file behind it is made anew with
/// each commit, and belongs to the program alone: nothing else is linked again.
std::string_view build_commit();

}  // namespace proxy
