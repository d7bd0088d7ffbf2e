// What a person is told of an error that was caught.
#pragma once

#include <exception>
#include <string>

namespace proxy {

/// The sentence alone: Boost adds category, number and the source file's path in brackets to it.
std::string words_of(const std::exception& error);

}  // namespace proxy
