#include "health/checks/cri.hpp"

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/plain_text.hpp"

namespace health {
namespace {

using protozero::pbf_wire_type;
using protozero::tag_and_type;

constexpr std::int32_t running = 1;        // ContainerState.CONTAINER_RUNNING
constexpr std::uint32_t stdout_field = 1;  // of ExecSyncResponse
constexpr std::uint32_t stderr_field = 2;
constexpr std::uint32_t exit_code_field = 3;
constexpr std::size_t longest_words = 200;  // of a command's output, in a reason

struct Found {
    std::string id;
    std::int64_t created_at = -1;  // ns since 1970
};

Found read_container(protozero::pbf_reader reader) {
    Found found;
    found.created_at = 0;
    while (reader.next())
        switch (reader.tag_and_type()) {
            case tag_and_type(1, pbf_wire_type::length_delimited):
                found.id = reader.get_string();
                break;
            case tag_and_type(7, pbf_wire_type::varint):
                found.created_at = reader.get_int64();
                break;
            default:
                reader.skip();
        }
    return found;
}

std::string said(const ExecSyncReader& answer) {
    const std::string text = base::printable(base::shortened(answer.output(), longest_words));
    return text.empty() ? "" : ": " + text;
}

}  // namespace

std::string cri_path(std::string_view method) {
    return "/runtime.v1.RuntimeService/" + std::string(method);
}

std::string list_containers_request(const Labels& labels) {
    std::string bytes;
    protozero::pbf_writer request(bytes);
    protozero::pbf_writer filter(request, 1);
    protozero::pbf_writer(filter, 2).add_enum(1, running);
    for (const auto& [name, value] : labels) {
        protozero::pbf_writer label(filter, 4);
        label.add_string(1, name);
        label.add_string(2, value);
    }
    filter.commit();
    return bytes;
}

tl::expected<std::string, std::string> youngest_container(std::string_view response) {
    Found youngest;
    try {
        for (protozero::pbf_reader reader(response.data(), response.size()); reader.next();) {
            if (reader.tag_and_type() != tag_and_type(1, pbf_wire_type::length_delimited)) {
                reader.skip();
                continue;
            }
            Found found = read_container(reader.get_message());
            if (!found.id.empty() && found.created_at > youngest.created_at)
                youngest = std::move(found);
        }
    } catch (const protozero::exception&) {
        return tl::unexpected(std::string("what it says of its containers cannot be read"));
    }
    return youngest.id;
}

std::string exec_sync_request(const std::string& container, const std::vector<std::string>& command,
                              std::chrono::seconds timeout) {
    std::string bytes;
    protozero::pbf_writer request(bytes);
    request.add_string(1, container);
    for (const std::string& word : command)
        request.add_string(2, word);
    request.add_int64(3, timeout.count());
    return bytes;
}

void ExecSyncReader::take(std::string_view piece) {
    while (!piece.empty() && state_ != State::broken) {
        if (state_ != State::bytes) {
            take_byte(static_cast<unsigned char>(piece[0]));
            piece.remove_prefix(1);
            continue;
        }
        const auto part = piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size())));
        if (field_ == stdout_field || field_ == stderr_field)
            output_ += part.substr(0, most_output - output_.size());
        left_ -= part.size();
        piece.remove_prefix(part.size());
        if (left_ == 0)
            state_ = State::tag;
    }
}

/// A number has seven bits in each byte, the least ones first, ten bytes at most.
void ExecSyncReader::take_byte(unsigned char byte) {
    constexpr unsigned last_shift = 63;
    if (shift_ > last_shift) {
        state_ = State::broken;
        return;
    }
    number_ |= static_cast<std::uint64_t>(byte & 0x7fU) << shift_;
    shift_ += 7;
    if ((byte & 0x80U) != 0)
        return;
    shift_ = 0;
    number_is_whole(std::exchange(number_, 0));
}

void ExecSyncReader::number_is_whole(std::uint64_t number) {
    if (state_ == State::tag) {
        begin_field(number);
    } else if (state_ == State::length) {
        left_ = number;
        state_ = left_ > 0 ? State::bytes : State::tag;
    } else {
        if (field_ == exit_code_field)
            exit_code_ = static_cast<std::int32_t>(number);  // a negative one has its sign in all ten bytes
        state_ = State::tag;
    }
}

void ExecSyncReader::begin_field(std::uint64_t tag) {
    field_ = static_cast<std::uint32_t>(tag >> 3U);
    switch (static_cast<pbf_wire_type>(tag & 7U)) {
        case pbf_wire_type::varint:
            state_ = State::number;
            return;
        case pbf_wire_type::length_delimited:
            state_ = State::length;
            return;
        case pbf_wire_type::fixed64:
        case pbf_wire_type::fixed32:  // of fields that nobody knows
            left_ = (tag & 7U) == 1 ? 8 : 4;
            field_ = 0;
            state_ = State::bytes;
            return;
        default:
            state_ = State::broken;
    }
}

Outcome judge_exec(const GrpcStatus& status, const ExecSyncReader& answer, std::chrono::seconds timeout) {
    if (status.code == GrpcCode::deadline_exceeded)
        return {Answer::failure, "command timed out after " + std::to_string(timeout.count()) + "s", {}};
    if (status.code != GrpcCode::ok)
        return {Answer::error, "container runtime: " + to_string(status), {}};
    if (!answer.is_whole())
        return {Answer::error, "container runtime: its answer to ExecSync cannot be read", {}};
    if (answer.exit_code() != 0)
        return {Answer::failure, "command exited with " + std::to_string(answer.exit_code()) + said(answer), {}};
    return {Answer::success, "", {}};
}

}  // namespace health
