// A gzip stream, unpacked piece by piece. The only file that knows zlib.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <tl/expected.hpp>

namespace api {

class Gunzip {
public:
    Gunzip();  ///< throws std::bad_alloc
    ~Gunzip();
    Gunzip(const Gunzip&) = delete;
    Gunzip& operator=(const Gunzip&) = delete;

    /// Is given bytes, which must stay where they are until next() has no more.
    void feed(std::string_view packed);
    /// Some unpacked bytes, valid until the next call; empty: it needs more bytes, or has ended. The error says that it
    /// is no gzip stream, or a damaged one.
    tl::expected<std::string_view, std::string> next(std::span<char> room);
    /// The stream's end, with its checksum, has been seen.
    bool complete() const { return complete_; }

private:
    struct Stream;
    std::unique_ptr<Stream> stream_;
    bool complete_ = false;
};

}  // namespace api
