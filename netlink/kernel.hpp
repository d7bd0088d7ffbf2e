// The interface to the kernel. Implementations: LinuxKernel (linux_kernel.hpp), FakeKernel (tests/support).
#pragma once

#include "netlink/state.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

namespace netlink {

/// One refused change of a batch.
struct Refusal {
    std::size_t index = 0;  ///< position in the span given to apply()
    std::error_code error;  ///< system category: EEXIST, ESRCH, ENOENT, EPERM, ...
};

/// A virtual server as the kernel lists it.
struct ListedServer {
    VirtualServer server;
    RealServers real_servers;
};

/// All virtual servers with their real servers, a piece at a time.
class Listing {
public:
    virtual ~Listing() = default;
    /// The next `count`, or a few more; empty at the end. Throws std::system_error.
    virtual std::vector<ListedServer> next(std::size_t count) = 0;
};

/// A part of what can be ours in the kernel, to be read in one go.
struct Part {
    enum class Kind : std::uint8_t { routes, elements, virtual_servers };
    Kind kind = Kind::routes;
    Set set = Set::served;  ///< of elements
    bool ipv6 = false;      ///< of elements, where the set has an address
};

/// All there are; virtual servers come last, because the others say which of them are ours.
std::vector<Part> all_parts();

class Kernel {
public:
    virtual ~Kernel() = default;

    /// Applies the changes in the given order, packed into as few messages as possible, and returns those that
    /// the kernel refused; all others are in force. Throws std::system_error when the kernel cannot be spoken to.
    virtual std::vector<Refusal> apply(std::span<const Change> changes) = 0;

    /// Adds to `state` what of that part is in the kernel's tables: all address-form virtual servers with their
    /// settings (foreign ones included, the caller decides) but without their real servers, the routes with our
    /// protocol number, the elements of our table (none if the table does not exist). Throws std::system_error.
    virtual void read_part(const Part& part, KernelState& state) = 0;
    /// All parts.
    KernelState read();

    /// The real servers of each given virtual server, in the same order; empty for one that does not exist.
    /// Separate from read_part() so that an audit of many can be done in slices. Throws std::system_error.
    virtual std::vector<RealServers> read_real_servers(std::span<const VirtualServer> servers) = 0;

    /// A listing that costs a fraction of read_real_servers() for all, and is worth less: it leaves out virtual servers
    /// that have a mark or an affinity, and may lack others, or have them twice, when somebody changes them meanwhile.
    /// nullptr: there is none.
    virtual std::unique_ptr<Listing> list() { return nullptr; }

    /// The connections of each given virtual server, in the same order; empty for one that does not exist. Throws
    /// std::system_error.
    virtual std::vector<ConnectionCounts> read_connections(std::span<const VirtualServer> servers) = 0;
};

}  // namespace netlink
