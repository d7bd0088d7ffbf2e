// What people read of a caught error. Pure.
#pragma once

#include <exception>
#include <string>

namespace base {

/// The error's own words, without the place in a source file that Boost adds to them.
std::string words_of(const std::exception& error);

}  // namespace base
