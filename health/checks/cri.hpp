// The container runtime interface (CRI v1, cri-api/pkg/apis/runtime/v1/api.proto), as far as a probe's command needs
// it: its messages, and what their answers mean. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "health/checks/grpc.hpp"
#include "health/checks/probe.hpp"

namespace health {

/// "/runtime.v1.RuntimeService/ExecSync"
std::string cri_path(std::string_view method);

/// ListContainersRequest: those that run and have all of these labels.
std::string list_containers_request(const Labels& labels);
/// The ID of the youngest container in a ListContainersResponse; empty: there is none. The error is for people.
tl::expected<std::string, std::string> youngest_container(std::string_view response);

/// ExecSyncRequest.
std::string exec_sync_request(const std::string& container, const std::vector<std::string>& command,
                              std::chrono::seconds timeout);

/// Reads an ExecSyncResponse while it comes. However much the command has written, only its beginning is kept.
class ExecSyncReader {
public:
    /// As much as the kubelet keeps (pkg/probe/exec).
    static constexpr std::size_t most_output = 10 * 1024;

    void take(std::string_view piece);
    /// Nothing is missing, and it was a message.
    bool is_whole() const { return state_ == State::tag && shift_ == 0; }
    int exit_code() const { return exit_code_; }
    /// stdout, then stderr.
    const std::string& output() const { return output_; }

private:
    enum class State : std::uint8_t { tag, number, length, bytes, broken };
    void take_byte(unsigned char byte);
    void number_is_whole(std::uint64_t number);
    void begin_field(std::uint64_t tag);

    State state_ = State::tag;
    std::uint64_t number_ = 0;  // that is being read, so far
    unsigned shift_ = 0;
    std::uint32_t field_ = 0;
    std::uint64_t left_ = 0;  // bytes of the field
    int exit_code_ = 0;
    std::string output_;
};

/// What the answer to ExecSync means (pkg/probe/exec/exec.go, cri-client/pkg/remote_runtime.go): a command that fails
/// or takes too long is a failure; whatever else the runtime says is its own trouble.
Outcome judge_exec(const GrpcStatus& status, const ExecSyncReader& answer, std::chrono::seconds timeout);

}  // namespace health
