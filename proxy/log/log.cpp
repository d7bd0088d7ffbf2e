#include "proxy/log/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <memory>

#include "base/plain_text.hpp"

namespace proxy::log {
namespace {

Format chosen_format = Format::text;

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = spdlog::stderr_logger_st("podferry");
        made->set_pattern("%v");
        return made;
    }();
    return *instance;
}

spdlog::level::level_enum level_of(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

constexpr std::size_t longest_text = 4096;  // bytes, of a message or a field

std::string as_json_text(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

bool needs_quotes(std::string_view text) {
    return text.empty() || text.find_first_of(" \"=\n\t") != std::string_view::npos;
}

}  // namespace

void configure(Format wanted, Level threshold) {
    chosen_format = wanted;
    logger().set_level(level_of(threshold));
    logger().set_pattern(chosen_format == Format::text ? "%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ %v" : "%v");
}

bool enabled(Level level) {
    return logger().should_log(level_of(level));
}

std::string line(Format format, Level level, double unix_time, std::string_view message,
                 std::initializer_list<Field> fields) {
    if (format == Format::json) {
        std::string text = fmt::format(R"({{"time":{:.3f},"level":"{}","message":{})", unix_time,
                                       spdlog::level::to_string_view(level_of(level)),
                                       as_json_text(base::shortened(message, longest_text)));
        for (const auto& [key, value] : fields)
            text += fmt::format(",{}:{}", as_json_text(key), as_json_text(base::shortened(value, longest_text)));
        return base::printable_json(text + '}');
    }
    std::string text = base::shortened(message, longest_text);
    for (const auto& [key, value] : fields) {
        const std::string shown = base::shortened(value, longest_text);
        text += fmt::format(" {}={}", key, needs_quotes(shown) ? as_json_text(shown) : shown);
    }
    return base::printable(text);
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
    if (!logger().should_log(level_of(level)))
        return;
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    logger().log(level_of(level), "{}", line(chosen_format, level, now, message, fields));
}

}  // namespace proxy::log
