#include "proxy/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <memory>

namespace proxy::log {
namespace {

Format format = Format::text;

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

std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

bool needs_quotes(std::string_view text) {
    return text.empty() || text.find_first_of(" \"=\n\t") != std::string_view::npos;
}

}  // namespace

void configure(Format wanted, Level threshold) {
    format = wanted;
    logger().set_level(level_of(threshold));
    logger().set_pattern(format == Format::text ? "%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ %v" : "%v");
}

bool enabled(Level level) {
    return logger().should_log(level_of(level));
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
    if (!logger().should_log(level_of(level)))
        return;
    std::string line;
    if (format == Format::json) {
        const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
        line = fmt::format(R"({{"time":{:.3f},"level":"{}","message":{})", now,
                           spdlog::level::to_string_view(level_of(level)), quoted(message));
        for (const auto& [key, value] : fields)
            line += fmt::format(",{}:{}", quoted(key), quoted(value));
        line += '}';
    } else {
        line = message;
        for (const auto& [key, value] : fields)
            line += fmt::format(" {}={}", key, needs_quotes(value) ? quoted(value) : value);
    }
    logger().log(level_of(level), "{}", line);
}

}  // namespace proxy::log
