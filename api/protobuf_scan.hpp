// The fields of a protobuf message, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <protozero/exception.hpp>
#include <protozero/types.hpp>
#include <protozero/varint.hpp>
#include <string_view>

namespace api {

class ProtobufScan {
public:
    explicit ProtobufScan(std::string_view message) : at_(message.data()), end_(message.data() + message.size()) {}

    /// The next field with this number; false: there is none. Throws protozero::exception when the bytes are no
    /// message.
    bool next(std::uint32_t number) {
        while (at_ != end_) {
            if (take_field() == number)
                return true;
        }
        return false;
    }
    /// The next one; its number, or 0 at the end.
    std::uint32_t next() { return at_ == end_ ? 0 : take_field(); }

    /// Bytes that follow.
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

    /// Of the field that was found. Throws when it is of another kind.
    std::string_view bytes() const {
        expect(protozero::pbf_wire_type::length_delimited);
        return bytes_;
    }
    std::int64_t number() const {
        expect(protozero::pbf_wire_type::varint);
        return static_cast<std::int64_t>(number_);
    }

private:
    /// Most are texts and messages of less than 128 bytes, with a number below 16.
    std::uint32_t take_field() {
        const std::uint32_t number = end_ - at_ < 2 || ((at_[0] | at_[1]) & 0x80) != 0 || (at_[0] & 7) != 2
                                         ? take_any_field()
                                         : take_short_bytes();
        if (number == 0)
            throw protozero::invalid_tag_exception{};
        return number;
    }

    std::uint32_t take_short_bytes() {
        const std::uint32_t number = static_cast<unsigned char>(at_[0]) >> 3U;
        const std::size_t size = static_cast<unsigned char>(at_[1]);
        at_ += 2;
        type_ = protozero::pbf_wire_type::length_delimited;
        bytes_ = take(size);
        return number;
    }

    std::uint32_t take_any_field() {
        using protozero::pbf_wire_type;
        const std::uint64_t key = varint();
        type_ = static_cast<pbf_wire_type>(key & 7U);
        switch (type_) {
            case pbf_wire_type::varint:
                number_ = varint();
                break;
            case pbf_wire_type::length_delimited:
                bytes_ = take(varint());
                break;
            case pbf_wire_type::fixed64:
                take(8);
                break;
            case pbf_wire_type::fixed32:
                take(4);
                break;
            default:
                throw protozero::unknown_pbf_wire_type_exception{};
        }
        if (key >> 32U != 0)
            throw protozero::invalid_tag_exception{};
        return static_cast<std::uint32_t>(key >> 3U);
    }

    std::uint64_t varint() {
        if (at_ != end_ && (static_cast<unsigned char>(*at_) & 0x80U) == 0)
            return static_cast<unsigned char>(*at_++);
        return protozero::decode_varint(&at_, end_);
    }

    std::string_view take(std::uint64_t size) {
        if (size > static_cast<std::uint64_t>(end_ - at_))
            throw protozero::end_of_buffer_exception{};
        const char* const start = at_;
        at_ += size;
        return {start, static_cast<std::size_t>(size)};
    }

    void expect(protozero::pbf_wire_type type) const {
        if (type_ != type)
            throw protozero::unknown_pbf_wire_type_exception{};
    }

    const char* at_;
    const char* end_;
    protozero::pbf_wire_type type_ = protozero::pbf_wire_type::unknown;
    std::string_view bytes_;
    std::uint64_t number_ = 0;
};

}  // namespace api
