// How the values of kube-proxy's fields become settings; see KubeProxyField::take.
#pragma once

#include <string>
#include <string_view>

#include "proxy/config/kube_proxy_fields.hpp"

namespace proxy::kube_proxy {

/// The field has the values of a setting.
Take setting(std::string_view name);

/// An idle time, in whole seconds, as the kernel has them; what is shorter than one is one, because 0 means "leave it".
Take timeout(std::string_view setting, std::chrono::milliseconds Config::* target);

/// A text with commas or a list of texts: network_cidr.
Take networks();

/// "ADDRESS:PORT", or an address alone with kube-proxy's port: a setting.
Take listener(std::string_view setting, int port);

/// masquerade_all, of one of the modes. kube-proxy reads one, by its mode.
Take masquerade(std::string_view mode);

/// A setting that kube-proxy reads in that detectLocalMode only.
Take in_detect_mode(std::string_view mode, std::string_view setting);

std::string take_bind_address(Taking& taking, const api::Field& field);
std::string take_detect_local_mode(Taking& taking, const api::Field& field);
std::string take_hostname_override(Taking& taking, const api::Field& field);
std::string take_ipvs_sync_period(Taking& taking, const api::Field& field);
std::string take_mode(Taking& taking, const api::Field& field);
std::string take_node_port_addresses(Taking& taking, const api::Field& field);
std::string take_verbosity(Taking& taking, const api::Field& field);

}  // namespace proxy::kube_proxy
