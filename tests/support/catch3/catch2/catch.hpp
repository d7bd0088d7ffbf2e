// Catch2 3 under the name of Catch2 2, which Debian 12 has: the tests are written for both.
#pragma once

#include <catch2/catch_all.hpp>
#include <catch2/catch_approx.hpp>

using Catch::Approx;
