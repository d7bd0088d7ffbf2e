// Who is to blame for an attempt that has failed: the target, or this host, which could not ask it. Pure.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>

#include "health/checks/probe.hpp"

namespace health {

/// What the error of a connection says. Out of memory, descriptors or local ports, or not permitted: this host could
/// not send. ENETUNREACH: it has no route there. A timeout: nobody knows what became of it.
Doubt doubt_of(const boost::system::error_code& error);

/// What the attempt counts as. The host's own failure is Answer::error, which says nothing about the target; so is
/// silence while this host is known to lose packets (`host_trouble`: how; empty: it is not), and a missing route,
/// unless other targets have answered since (`others_answer`): then it is this one that is gone.
Outcome settle(Outcome outcome, bool others_answer, const std::string& host_trouble);

}  // namespace health
