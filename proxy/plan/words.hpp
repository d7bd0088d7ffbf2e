// Small translations between the words of api/ and those of netlink/, and the families a Service gets.
#pragma once

#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "api/objects/types.hpp"
#include "base/prefix.hpp"
#include "netlink/objects.hpp"

namespace proxy {

/// "tcp", "udp", "sctp".
std::string_view word(api::Protocol protocol);
std::string_view word(api::ServiceType type);
netlink::Protocol kernel_protocol(api::Protocol protocol);

/// The families of a Service by spec.ipFamilies and spec.ipFamilyPolicy (KEP-563), given the configured ranges: the
/// primary family is the first range's. The error is "field: sentence".
tl::expected<std::vector<api::Family>, std::string> wanted_families(const api::Service& service,
                                                                    const std::vector<base::Prefix>& ranges);

}  // namespace proxy
