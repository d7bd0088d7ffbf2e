// Texts of others on their way to people: an annotation, a name in a broken file or a server's answer may hold line
// breaks, escape sequences or no UTF-8 at all, and be of any length. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace base {

/// The text as one line that a terminal only shows: control characters (C0, DEL, C1), Unicode's line separators and
/// bidirectional controls, and bytes that are no UTF-8 become escapes such as \n, \x1b, \u202e and \xff.
std::string printable(std::string_view text);

/// The same, but line breaks stay: for texts of several lines.
std::string printable_lines(std::string_view text);

/// JSON of which the same is true: it reads back as it was, but that bytes that are no UTF-8 are replaced (U+FFFD).
std::string printable_json(std::string_view json);

/// Gives at most `most` bytes of the text, without half a character at the end.
std::string_view cut(std::string_view text, std::size_t most);

/// The same, with an ellipsis as the end when something is missing. `most` is 3 at least.
std::string shortened(std::string_view text, std::size_t most);

/// 'text' in quotes, for a sentence: shortened to 80 bytes.
std::string quoted(std::string_view text);

}  // namespace base
