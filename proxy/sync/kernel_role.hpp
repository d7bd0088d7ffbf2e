// What a role, `node` or another, does at the moments of its kernel side.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace proxy {

class KernelRole {
public:
    virtual ~KernelRole() = default;
    /// The objects are up to date, as far as can be told.
    virtual bool source_is_current() const = 0;
    /// The host's addresses or families may have changed.
    virtual void follow_host() = 0;
    /// An audit begins: what else is looked at now and then.
    virtual void look_around() = 0;
    /// What audits keep in place is in place, as far as it can be.
    virtual void upkept() = 0;
    /// All that was dirty has been planned.
    virtual void planned() = 0;
    /// The kernel has been given all that it accepts. `refused`: it has refused some of it, or accepts what it has
    /// refused before. In turns of the loop.
    virtual boost::asio::awaitable<void> settle(bool refused) = 0;
    /// It is called after settle(), or the first programming. `all`: the kernel holds all that is wanted, or refuses
    /// the rest.
    virtual void given(bool all) = 0;
    /// Problems may have come or gone.
    virtual void problems_changed() = 0;
};

}  // namespace proxy
