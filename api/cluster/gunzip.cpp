#include "api/cluster/gunzip.hpp"

#include <zlib.h>

#include <new>

namespace api {

struct Gunzip::Stream {
    z_stream z{};
};

Gunzip::Gunzip() : stream_(std::make_unique<Stream>()) {
    constexpr int with_gzip_header = 16;
    if (::inflateInit2(&stream_->z, with_gzip_header + MAX_WBITS) != Z_OK)
        throw std::bad_alloc();
}

Gunzip::~Gunzip() {
    ::inflateEnd(&stream_->z);
}

void Gunzip::feed(std::string_view packed) {
    // zlib reads only, but says so only when told to (ZLIB_CONST).
    stream_->z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_->z.avail_in = static_cast<uInt>(packed.size());
}

tl::expected<std::string_view, std::string> Gunzip::next(std::span<char> room) {
    z_stream& z = stream_->z;
    if (complete_)
        return std::string_view();
    z.next_out = reinterpret_cast<Bytef*>(room.data());
    z.avail_out = static_cast<uInt>(room.size());
    const int status = ::inflate(&z, Z_NO_FLUSH);
    complete_ = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)  // of these the last asks for more bytes
        return tl::unexpected(std::string("damaged gzip stream: ") + (z.msg == nullptr ? ::zError(status) : z.msg));
    return std::string_view(room.data(), room.size() - z.avail_out);
}

}  // namespace api
