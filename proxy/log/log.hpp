// Structured log lines on standard error: a sentence and key=value fields, or one JSON object a line.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace proxy::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

using Field = std::pair<std::string_view, std::string>;

/// Call once, before the first line. Without it: text, info and above.
void configure(Format format, Level threshold);

/// False when lines of this level are not written: what is costly to say can be left out.
bool enabled(Level level);

/// The line: in text format without its time and level, which the writer puts before it. Whatever texts of others are
/// in `message` and the fields, it is one line that a terminal only shows, and each of them is cut to 4 kB.
std::string line(Format format, Level level, double unix_time, std::string_view message,
                 std::initializer_list<Field> fields);

void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::info, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::warning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::error, message, fields);
}

}  // namespace proxy::log
