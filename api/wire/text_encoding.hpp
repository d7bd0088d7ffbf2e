// The encodings that kubectl reads files in (cli-runtime's FileVisitor): UTF-8, or what a byte order mark says. Pure.
#pragma once

#include <string>
#include <string_view>

namespace api {

/// The text in UTF-8, without a byte order mark; what is no UTF-8 or UTF-16 becomes U+FFFD. It refers to `bytes` where
/// nothing is to be changed, else to `storage`.
std::string_view as_utf8(std::string_view bytes, std::string& storage);

}  // namespace api
