// Reading and printing the values of settings. A reader stores the value and returns an empty string, or leaves it
// and returns what is wrong, as the end of a sentence that begins with the setting's name.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

using Values = std::vector<std::string>;

std::string read_text(std::string& target, const Values& values);
/// Reads what read_path() does, or nothing.
std::string read_optional_path(std::string& target, const Values& values);
/// The path of a Unix socket, or nothing.
std::string read_socket(std::string& target, const Values& values);
std::string read_servers(std::vector<std::string>& target, const Values& values);
std::string read_paths(std::vector<std::string>& target, const Values& values);
std::string read_path(std::string& target, const Values& values);
std::string read_fwmark(netlink::Fwmark& target, const Values& values);
std::string read_scheduler(std::string& target, const Values& values);
std::string read_detect_local_mode(DetectLocalMode& target, const Values& values);
std::string read_check_mode(CheckMode& target, const Values& values);
/// NAMESPACE/NAME, or empty.
std::string read_service_name(std::string& target, const Values& values);
/// A name of an interface or the beginning of one, or empty.
std::string read_interface(std::string& target, const Values& values);
std::string read_flag(bool& target, const Values& values);
/// Reads at most one per family. A single value may hold several, separated by commas, as kube-proxy's flags do.
std::string read_prefixes(std::vector<base::Prefix>& target, const Values& values);
std::string read_any_prefixes(std::vector<base::Prefix>& target, const Values& values);
/// all, none, or CIDRs.
std::string read_external_ips(ExternalIps& target, const Values& values);
std::string read_addresses(std::vector<Address>& target, const Values& values);
std::string read_port_range(PortRange& target, const Values& values);
std::string read_listen(std::vector<Listen>& target, const Values& values);
std::string read_log_format(log::Format& target, const Values& values);
std::string read_log_level(log::Level& target, const Values& values);
std::string read_ranged(int& target, const Values& values, long low, long high);
/// low and high in milliseconds; text such as "200ms", "5s", "1m", "1h".
std::string read_ranged(std::chrono::milliseconds& target, const Values& values, long low, long high);

std::string print_text(const std::string& value);
std::string print_fwmark(const netlink::Fwmark& value);
std::string print_servers(const std::vector<std::string>& value);
std::string print_detect_local_mode(const DetectLocalMode& value);
std::string print_check_mode(const CheckMode& value);
std::string print_flag(const bool& value);
std::string print_prefixes(const std::vector<base::Prefix>& value);
std::string print_external_ips(const ExternalIps& value);
std::string print_addresses(const std::vector<Address>& value);
std::string print_port_range(const PortRange& value);
std::string print_listen(const std::vector<Listen>& value);
std::string print_log_format(const log::Format& value);
std::string print_log_level(const log::Level& value);
std::string print_ranged(const int& value);
std::string print_ranged(const std::chrono::milliseconds& value);

}  // namespace proxy
