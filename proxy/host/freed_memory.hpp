// Decides what malloc does with freed memory while podferry starts.
#pragma once

namespace proxy {

/// True: what is freed serves the next allocation, instead of fresh pages from the kernel each time; for a time in
/// which many large things come and go. False: the rest is given back, and glibc's defaults hold.
void keep_freed_memory(bool keep);

}  // namespace proxy
