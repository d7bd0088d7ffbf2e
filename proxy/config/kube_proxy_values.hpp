// How the values of kube-proxy's fields become settings; see KubeProxyField::take.
#pragma once

#include <string>

#include "proxy/config/kube_proxy_fields.hpp"

namespace proxy::kube_proxy {

std::string take_bind_address(Taking& taking, const api::Field& field);
std::string take_bind_address_hard_fail(Taking& taking, const api::Field& field);
std::string take_bridge_interface(Taking& taking, const api::Field& field);
std::string take_cluster_cidr(Taking& taking, const api::Field& field);
std::string take_cluster_cidrs(Taking& taking, const api::Field& field);
std::string take_conntrack_max_per_core(Taking& taking, const api::Field& field);
std::string take_conntrack_min(Taking& taking, const api::Field& field);
std::string take_conntrack_tcp_be_liberal(Taking& taking, const api::Field& field);
std::string take_conntrack_tcp_timeout_close_wait(Taking& taking, const api::Field& field);
std::string take_conntrack_tcp_timeout_established(Taking& taking, const api::Field& field);
std::string take_conntrack_udp_timeout(Taking& taking, const api::Field& field);
std::string take_conntrack_udp_timeout_stream(Taking& taking, const api::Field& field);
std::string take_detect_local_mode(Taking& taking, const api::Field& field);
std::string take_healthz_bind_address(Taking& taking, const api::Field& field);
std::string take_hostname_override(Taking& taking, const api::Field& field);
std::string take_interface_name_prefix(Taking& taking, const api::Field& field);
std::string take_ipvs_sync_period(Taking& taking, const api::Field& field);
std::string take_ipvs_tcp_timeout(Taking& taking, const api::Field& field);
std::string take_ipvs_tcpfin_timeout(Taking& taking, const api::Field& field);
std::string take_ipvs_udp_timeout(Taking& taking, const api::Field& field);
std::string take_kubeconfig(Taking& taking, const api::Field& field);
std::string take_log_format(Taking& taking, const api::Field& field);
std::string take_masquerade_all(Taking& taking, const api::Field& field);
std::string take_masquerade_all_of_iptables(Taking& taking, const api::Field& field);
std::string take_masquerade_all_of_nftables(Taking& taking, const api::Field& field);
std::string take_metrics_bind_address(Taking& taking, const api::Field& field);
std::string take_mode(Taking& taking, const api::Field& field);
std::string take_node_port_addresses(Taking& taking, const api::Field& field);
std::string take_scheduler(Taking& taking, const api::Field& field);
std::string take_verbosity(Taking& taking, const api::Field& field);

}  // namespace proxy::kube_proxy
