// The same for the tables of the proxy.
#pragma once

#include "proxy/engine/engine.hpp"
#include "test.hpp"
#include "tests/support/fake_kernel.hpp"
#include "tests/unit/proxy/build.hpp"
