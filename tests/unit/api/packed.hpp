// gzip for tests.
#pragma once

#include <zlib.h>

#include <string>

inline std::string packed(const std::string& text) {
    z_stream z{};
    ::deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string bytes(::deflateBound(&z, text.size()) + 32, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(bytes.data());
    z.avail_out = static_cast<uInt>(bytes.size());
    ::deflate(&z, Z_FINISH);
    bytes.resize(bytes.size() - z.avail_out);
    ::deflateEnd(&z);
    return bytes;
}
