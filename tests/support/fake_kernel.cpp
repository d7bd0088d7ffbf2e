#include "tests/support/fake_kernel.hpp"

#include <cerrno>

namespace testing {
namespace {

using namespace netlink;

struct ErrorOf {
    const KernelState& state;

    bool has(const VirtualServer& server) const { return state.virtual_servers.contains(server); }
    bool has(const VirtualServer& server, const RealServer& real) const {
        return has(server) && state.virtual_servers.at(server).real_servers.contains(real);
    }

    /// Debian's 6.1 is built without twos.
    static int error_of(const VirtualServerSettings& settings) { return settings.scheduler == "twos" ? ENOENT : 0; }

    int operator()(const AddVirtualServer& c) const { return has(c.server) ? EEXIST : error_of(c.settings); }
    int operator()(const EditVirtualServer& c) const { return has(c.server) ? error_of(c.settings) : ESRCH; }
    int operator()(const DeleteVirtualServer& c) const { return has(c.server) ? 0 : ESRCH; }
    int operator()(const AddRealServer& c) const {
        if (c.weight < 0)
            return ERANGE;
        return !has(c.server) ? ESRCH : has(c.server, c.real) ? EEXIST : 0;
    }
    int operator()(const EditRealServer& c) const {
        if (c.weight < 0)
            return ERANGE;
        return !has(c.server) ? ESRCH : has(c.server, c.real) ? 0 : ENOENT;
    }
    int operator()(const DeleteRealServer& c) const {
        return !has(c.server) ? ESRCH : has(c.server, c.real) ? 0 : ENOENT;
    }
    int operator()(const AddRoute& c) const { return state.routes.contains(c.route) ? EEXIST : 0; }
    int operator()(const DeleteRoute& c) const { return state.routes.contains(c.route) ? 0 : ESRCH; }
    int operator()(const AddElement&) const { return 0; }
    int operator()(const WithdrawElement& c) const { return state.elements.contains(c.element) ? 0 : ENOENT; }
    int operator()(const DeleteElement& c) const { return state.elements.contains(c.element) ? 0 : ENOENT; }
};

}  // namespace

int FakeKernel::error_of(const Change& change) const {
    if (const int refused = refuses_ ? refuses_(change) : 0; refused != 0)
        return refused;
    const int refused = std::visit(
        [&](const auto& c) {
            if constexpr (requires { c.server; }) {
                const auto found = refused_.find(c.server);
                return found == refused_.end() ? 0 : static_cast<int>(found->second);
            } else {
                return 0;
            }
        },
        change);
    return refused != 0 ? refused : std::visit(ErrorOf{state_}, change);
}

std::vector<Refusal> FakeKernel::apply(std::span<const Change> changes) {
    std::vector<Refusal> refusals;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (fails_after && (*fails_after)-- == 0) {
            fails_after.reset();
            throw std::system_error(ENOBUFS, std::system_category(), "fake kernel");
        }
        ++tried;
        if (const int error = error_of(changes[i]); error != 0)
            refusals.push_back({i, {error, std::system_category()}});
        else
            advance(state_, changes[i]);
    }
    return refusals;
}

void FakeKernel::read_part(const Part& part, KernelState& state) {
    switch (part.kind) {
        case Part::Kind::routes:
            state.routes = state_.routes;
            break;
        case Part::Kind::elements:
            for (const Element& element : state_.elements)
                if (element.set == part.set && (!has_address(part.set) || element.address.is_v6() == part.ipv6))
                    state.elements.insert(state.elements.end(), element);
            break;
        case Part::Kind::virtual_servers:
            for (const auto& [server, content] : state_.virtual_servers)
                state.virtual_servers.emplace_hint(state.virtual_servers.end(), server,
                                                   VirtualServerState{content.settings, {}});
            break;
    }
}

std::vector<RealServers> FakeKernel::read_real_servers(std::span<const VirtualServer> servers) {
    asked += servers.size();
    std::vector<RealServers> all;
    for (const VirtualServer& server : servers) {
        const auto found = state_.virtual_servers.find(server);
        all.push_back(found == state_.virtual_servers.end() ? RealServers{} : found->second.real_servers);
    }
    return all;
}

std::unique_ptr<Listing> FakeKernel::list() {
    class FakeListing : public Listing {
    public:
        explicit FakeListing(std::vector<ListedServer> servers) : servers_(std::move(servers)) {}
        std::vector<ListedServer> next(std::size_t count) override {
            const std::size_t end = std::min(at_ + count, servers_.size());
            std::vector<ListedServer> part(servers_.begin() + static_cast<std::ptrdiff_t>(at_),
                                           servers_.begin() + static_cast<std::ptrdiff_t>(end));
            at_ = end;
            return part;
        }

    private:
        std::vector<ListedServer> servers_;
        std::size_t at_ = 0;
    };
    if (!lists)
        return nullptr;
    std::vector<ListedServer> servers;
    for (const auto& [server, state] : state_.virtual_servers)
        if (!unlisted.contains(server))
            servers.push_back({server, state.real_servers});
    return std::make_unique<FakeListing>(std::move(servers));
}

std::vector<ConnectionCounts> FakeKernel::read_connections(std::span<const VirtualServer> servers) {
    std::vector<ConnectionCounts> all;
    for (const RealServers& reals : read_real_servers(servers)) {
        ConnectionCounts& counts = all.emplace_back();
        for (const auto& [real, weight] : reals)
            counts.emplace(real, 0);
    }
    return all;
}

}  // namespace testing
