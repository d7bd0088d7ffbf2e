// The wire format protobuf. An answer is `k8s\0` and a runtime.Unknown (typeMeta = 1, raw = 2), whose raw bytes are the
// list (metadata = 1, items = 2) or the Status.
#include <array>
#include <cstdint>
#include <optional>
#include <protozero/varint.hpp>

#include "api/cluster/wire_formats.hpp"
#include "api/wire/protobuf_schema.hpp"

namespace api {
namespace {

constexpr std::array unknown_fields{ProtobufField{1, "typeMeta", ProtobufForm::message, false, false, &type_metadata},
                                    ProtobufField{2, "raw", ProtobufForm::message, false, false, &status_message}};
constexpr ProtobufMessage unknown{unknown_fields};  // runtime.Unknown of a refusal

constexpr std::uint64_t longest_part = std::uint64_t{32} * 1024 * 1024;  // of a list; etcd stores 1.5 MiB
constexpr std::uint64_t longest_list = std::uint64_t{4096} * 1024 * 1024;

/// A varint at the front is there as a whole.
bool varint_is_whole(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if ((static_cast<unsigned char>(bytes[i]) & 0x80U) == 0 || i == protozero::max_varint_length)
            return true;
    return false;
}

std::uint64_t parse_varint(std::string_view& bytes) {
    const char* at = bytes.data();
    const std::uint64_t number = protozero::decode_varint(&at, bytes.data() + bytes.size());
    bytes.remove_prefix(static_cast<std::size_t>(at - bytes.data()));
    return number;
}

/// The start of a field of bytes: its number and length.
struct Head {
    std::uint64_t number = 0;
    std::uint64_t length = 0;
};

/// Nothing as long as it is not there as a whole.
std::optional<Head> parse_head(std::string_view& bytes) {
    std::string_view rest = bytes;
    Head head;
    for (std::uint64_t* const part : {&head.number, &head.length}) {
        if (!varint_is_whole(rest))
            return std::nullopt;
        *part = parse_varint(rest);
    }
    if ((head.number & 7U) != static_cast<unsigned>(protozero::pbf_wire_type::length_delimited))
        throw protozero::unknown_pbf_wire_type_exception{};
    head.number >>= 3U;
    bytes = rest;
    return head;
}

/// Each item is decoded when its last byte is there; what the envelope has beside them is small.
class ProtobufList : public ListFormat {
public:
    ProtobufList(std::string kind, std::function<void(WireObject)> visit)
        : kind_(std::move(kind)), visit_(std::move(visit)), message_(protobuf_message(kind_)) {
        if (message_ == nullptr)
            problem_ = "lists of kind " + kind_ + " are not read in protobuf";
    }

    void feed(std::string_view bytes) override {
        if (!problem_.empty())
            return;
        const bool all_is_new = waiting_.empty();
        if (!all_is_new)
            waiting_ += bytes;
        std::string_view rest = all_is_new ? bytes : std::string_view(waiting_);
        try {
            while (problem_.empty() && read_part(rest)) {
            }
        } catch (const protozero::exception& error) {
            problem_ = std::string("the list is broken: ") + error.what();
        }
        waiting_ = std::string(rest);
    }

    ListReader::End finish() override {
        if (!problem_.empty())
            return {{}, {}, problem_};
        if (place_ != Place::after || !waiting_.empty())
            return {{}, {}, "the list is cut off"};
        return end_of(list_kind_, version_, continue_token_, true);
    }

private:
    enum class Place { start, envelope, list, after };

    /// False: more bytes are needed first.
    bool read_part(std::string_view& bytes) {
        if (place_ == Place::start)
            return read_magic(bytes);
        if (bytes.empty())
            return false;
        std::string_view rest = bytes;
        const auto head = parse_head(rest);
        if (!head)
            return false;
        if (place_ == Place::envelope && head->number == 2 && head->length <= longest_list) {
            place_ = head->length == 0 ? Place::after : Place::list;
            left_ = head->length;
            bytes = rest;
            return true;
        }
        const std::uint64_t size = (bytes.size() - rest.size()) + head->length;
        if (head->length > longest_part || (place_ == Place::list && size > left_)) {
            problem_ = "the list is broken: a part of it is longer than can be";
            return false;
        }
        if (rest.size() < head->length)
            return false;
        const std::string_view part = rest.substr(0, head->length);
        bytes = rest.substr(head->length);
        if (place_ == Place::list)
            read_field(head->number, part, size);
        else if (head->number == 1)
            list_kind_ = text_at(Value(type_metadata, part), {"kind"});
        return true;
    }

    bool read_magic(std::string_view& bytes) {
        if (bytes.size() < protobuf_magic.size())
            return false;
        if (!bytes.starts_with(protobuf_magic))
            problem_ = "the answer is neither JSON nor Kubernetes' protobuf";
        bytes.remove_prefix(protobuf_magic.size());
        place_ = Place::envelope;
        return true;
    }

    void read_field(std::uint64_t number, std::string_view part, std::uint64_t size) {
        left_ -= size;
        if (left_ == 0)
            place_ = Place::after;
        if (number == 1) {
            version_ = text_at(Value(list_metadata, part), {"resourceVersion"});
            continue_token_ = text_at(Value(list_metadata, part), {"continue"});
        } else if (number == 2) {
            visit_(object_from(Value(*message_, part), kind_));
        }
    }

    std::string kind_;
    std::function<void(WireObject)> visit_;
    const ProtobufMessage* message_;
    Place place_ = Place::start;
    std::string waiting_;     // bytes of a part that is not whole yet
    std::uint64_t left_ = 0;  // bytes of the list that have not come yet
    std::string list_kind_;
    std::string version_;
    std::string continue_token_;
    std::string problem_;
};

}  // namespace

std::unique_ptr<ListFormat> protobuf_list(std::string kind, std::function<void(WireObject)> visit) {
    return std::make_unique<ProtobufList>(std::move(kind), std::move(visit));
}

WireStatus protobuf_status(std::string_view bytes) {
    WireStatus none{0, "an answer in protobuf that is no Status", false};
    try {
        const Value envelope(unknown, bytes.substr(protobuf_magic.size()));
        return text_at(envelope, {"typeMeta", "kind"}) == "Status" ? status_from(envelope.member("raw")) : none;
    } catch (const protozero::exception&) {
        return none;
    }
}

}  // namespace api
