// For what is above the plan: nearly every file there parses these headers of ours too. A change to one of them makes
// all of them anew, as it would without.
#pragma once

#include "netlink/state.hpp"
#include "proxy/engine/wish_list.hpp"
#include "proxy/plan/plan.hpp"
#include "std.hpp"
