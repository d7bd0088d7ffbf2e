#include "proxy/log/error_words.hpp"

#include "base/error_words.hpp"

namespace proxy {

std::string words_of(const std::exception& error) {
    return base::words_of(error);
}

}  // namespace proxy
