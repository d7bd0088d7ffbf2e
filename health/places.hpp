// A number of places, for what may run at the same time; who comes beyond that waits for its turn.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace health {

class Places {
public:
    Places(boost::asio::any_io_executor executor, std::size_t most) : executor_(std::move(executor)), most_(most) {}
    Places(const Places&) = delete;
    Places& operator=(const Places&) = delete;

    /// Holds a place while it lives, whatever ends that. The places must outlive it.
    class Held {
    public:
        Held() = default;
        explicit Held(Places* places) : places_(places) {}
        Held(Held&& other) noexcept : places_(std::exchange(other.places_, nullptr)) {}
        Held& operator=(Held&&) = delete;
        ~Held() {
            if (places_ != nullptr)
                places_->release();
        }

    private:
        Places* places_ = nullptr;
    };

    /// Waits for a place; who waits longest gets the next one.
    boost::asio::awaitable<Held> take();
    std::size_t taken() const { return taken_; }

private:
    void release();

    boost::asio::any_io_executor executor_;
    std::size_t most_;
    std::size_t taken_ = 0;
    std::deque<std::shared_ptr<boost::asio::steady_timer>> waiting_;
};

}  // namespace health
