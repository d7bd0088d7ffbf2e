// The same for the tables of the unit ring.
#pragma once

#include "std.hpp"

#include <catch2/catch.hpp>
