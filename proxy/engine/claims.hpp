// Who of several Services gets a front end. Knows who has which, who waits for it, and who is to be planned again
// because another one's claim has changed. Pure; plan/claim.hpp says which claim goes before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/objects.hpp"
#include "proxy/plan/claim.hpp"

namespace proxy {

class Claims {
public:
    enum class Outcome : std::uint8_t {
        has,      ///< the Service has the front end, maybe in the place of another one
        waits,    ///< another one has it
        vacated,  ///< it waits, and so does who had it: the front end is nobody's until who comes first is planned
                  ///< again
    };
    /// The Service wants the front end, in the place of its former claim to it.
    Outcome claim(const netlink::VirtualServer& server, const api::ObjectName& service, const Claim& claim);

    /// The Service wants the front end no more. True: it had it, and now nobody has.
    bool withdraw(const netlink::VirtualServer& server, const api::ObjectName& service);

    /// Who has it; nullptr: nobody.
    const api::ObjectName* owner(const netlink::VirtualServer& server) const;
    bool has(const api::ObjectName& service, const netlink::VirtualServer& server) const;
    /// Whether the Service has it, or will when it claims it so.
    bool will_have(const netlink::VirtualServer& server, const api::ObjectName& service, const Claim& claim) const;
    /// Who has it while `service` wants it too; nullptr: `service` has it itself, or does not want it.
    const api::ObjectName* waits_for(const netlink::VirtualServer& server, const api::ObjectName& service) const;
    /// Whether some front end is wanted by more than one.
    bool any_contested() const { return !rivals_.empty(); }

    /// Lists them by virtual server, then by the name of the Service that waits.
    std::vector<Conflict> conflicts() const;
    std::vector<Conflict> conflicts_of(const netlink::VirtualServer& server) const;
    std::size_t conflict_count() const;

    /// Virtual servers of which who has it or who waits may have changed since the last call: what has changed of
    /// conflicts() is told by conflicts_of() these.
    std::set<netlink::VirtualServer> exchange_changed();

    /// Services that have lost a front end to another one, or can have one by now, since the last call: they are to
    /// claim again.
    std::set<api::ObjectName> exchange_unsettled();

private:
    struct Held {
        api::ObjectName owner;
        Claim claim;
    };

    Outcome contend(std::map<netlink::VirtualServer, Held>::iterator held, const api::ObjectName& service,
                    const Claim& claim);

    std::map<netlink::VirtualServer, Held> held_;
    std::map<netlink::VirtualServer, Rivals> rivals_;  // who has it among them; few, so they cost what they are
    std::set<netlink::VirtualServer> changed_;
    std::set<api::ObjectName> unsettled_;
};

}  // namespace proxy
