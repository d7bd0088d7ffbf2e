// A kernel for unit tests, as strict as the real one about what exists and what does not
// (tests/lab/contract checks both against the same table).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <system_error>

#include "netlink/kernel.hpp"

namespace testing {

class FakeKernel : public netlink::Kernel {
public:
    netlink::KernelState& state() { return state_; }

    /// Every change of this virtual server is refused from now on.
    void refuse(const netlink::VirtualServer& server, std::errc error) { refused_[server] = error; }
    /// So are the changes that `error_of` gives an errno for; 0: it says nothing of that one.
    void refuse(std::function<int(const netlink::Change&)> error_of) { refuses_ = std::move(error_of); }
    void refuse_nothing() {
        refused_.clear();
        refuses_ = {};
    }
    /// apply() takes that many changes more, and fails then, in the middle of a batch.
    std::optional<std::size_t> fails_after;
    /// Changes that apply() has been given.
    std::size_t tried = 0;

    std::vector<netlink::Refusal> apply(std::span<const netlink::Change> changes) override;
    void read_part(const netlink::Part& part, netlink::KernelState& state) override;
    std::vector<netlink::RealServers> read_real_servers(std::span<const netlink::VirtualServer> servers) override;
    /// As the real one's, of what is there now; only with `lists`. What is in `unlisted` it leaves out.
    std::unique_ptr<netlink::Listing> list() override;
    bool lists = false;
    std::set<netlink::VirtualServer> unlisted;
    /// Virtual servers whose real servers have been asked for.
    std::size_t asked = 0;

    /// Nobody connects to this kernel.
    std::vector<netlink::ConnectionCounts> read_connections(std::span<const netlink::VirtualServer> servers) override;

private:
    int error_of(const netlink::Change& change) const;

    netlink::KernelState state_;
    std::map<netlink::VirtualServer, std::errc> refused_;
    std::function<int(const netlink::Change&)> refuses_;
};

}  // namespace testing
