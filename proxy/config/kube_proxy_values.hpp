// How the values of kube-proxy's fields become settings; see KubeProxyField::migrate.
#pragma once

#include <string>
#include <string_view>

#include "proxy/config/kube_proxy_fields.hpp"

namespace proxy::kube_proxy {

/// The field has the values of a setting.
Migrate setting(std::string_view name);

/// An idle time, in whole seconds, as the kernel has them; what is shorter than one is one, because 0 means "leave it".
Migrate timeout(std::string_view setting, std::chrono::milliseconds Config::* target);

/// A text with commas or a list of texts: network_cidr.
Migrate networks();

/// "ADDRESS:PORT", or an address alone with kube-proxy's port: a setting.
Migrate listener(std::string_view setting, int port);

/// masquerade_all, of one of the modes. kube-proxy reads one, by its mode.
Migrate masquerade(std::string_view mode);

/// A setting that kube-proxy reads in that detectLocalMode only.
Migrate in_detect_mode(std::string_view mode, std::string_view setting);

std::string migrate_bind_address(Migration& migration, const api::Field& field);
std::string migrate_detect_local_mode(Migration& migration, const api::Field& field);
std::string migrate_hostname_override(Migration& migration, const api::Field& field);
std::string migrate_ipvs_sync_period(Migration& migration, const api::Field& field);
std::string migrate_mode(Migration& migration, const api::Field& field);
std::string migrate_node_port_addresses(Migration& migration, const api::Field& field);
std::string migrate_verbosity(Migration& migration, const api::Field& field);

}  // namespace proxy::kube_proxy
