#include "health/attempt.hpp"

#include <exception>
#include <string>
#include <utility>

#include "base/error_words.hpp"

namespace health {
namespace {

Outcome impossible(const std::string& why, std::chrono::steady_clock::time_point began) {
    const auto took = std::chrono::steady_clock::now() - began;
    return {Answer::error, "the request cannot be made: " + why,
            std::chrono::duration_cast<std::chrono::microseconds>(took)};
}

}  // namespace

boost::asio::awaitable<Outcome> attempt(Perform perform, Check check, std::chrono::milliseconds timeout) {
    const auto began = std::chrono::steady_clock::now();
    try {
        co_return co_await perform(std::move(check), timeout);
    } catch (const std::exception& error) {
        co_return impossible(base::words_of(error), began);
    } catch (...) {
        co_return impossible("something unknown was thrown", began);
    }
}

}  // namespace health
