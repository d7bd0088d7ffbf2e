// The fields of a KubeProxyConfiguration, and what becomes of each: one row.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/wire/field.hpp"
#include "proxy/config/kube_proxy_config.hpp"

namespace proxy {

/// What a field's value must look like, whether it is used or not.
/// given_duration: one of 0 says something.
enum class Form { text, flag, integer, number, duration, given_duration, texts, flags, anything };

struct Migration {
    KubeProxyMigration result;
    std::string mode;               ///< of the file; empty: kube-proxy's default, iptables
    std::string detect_local_mode;  ///< the same; empty: ClusterCIDR
    std::string bridge_interface;
    std::string interface_name_prefix;
};

/// Sets what the value says and returns the rest of its line ("honoured as scheduler"), or notes a mistake and returns
/// nothing.
using Migrate = std::function<std::string(Migration&, const api::Field&)>;

struct KubeProxyField {
    std::string_view path;
    Form form;
    Migrate migrate;          ///< empty: the field is ignored
    std::string_view reason;  ///< of a field that is ignored
};

const std::vector<KubeProxyField>& kube_proxy_fields();
const KubeProxyField* find_kube_proxy_field(std::string_view path);

}  // namespace proxy
