#include "base/error_words.hpp"

#include <boost/system/system_error.hpp>

namespace base {

std::string words_of(const std::exception& error) {
    const std::string text = error.what();
    const auto* of_boost = dynamic_cast<const boost::system::system_error*>(&error);
    if (of_boost == nullptr)
        return text;
    // "bind: Address already in use [system:98 at /usr/include/...]"
    const auto end = text.rfind(std::string(" [") + of_boost->code().category().name() + ":");
    return end == std::string::npos ? of_boost->code().message() : text.substr(0, end);
}

}  // namespace base
