// The forms that names have in Kubernetes (apimachinery/pkg/util/validation). Each returns what is wrong, or nothing.
#pragma once

#include <string>
#include <string_view>

namespace api {

/// RFC 1123 label: lower-case letters, digits, '-', at most 63. Names of Services too, since Kubernetes 1.34 or 1.36
/// (RelaxedServiceNameValidation): they may begin with a digit.
std::string check_dns_label(std::string_view name);
/// RFC 1123 subdomain: labels with dots, at most 253.
std::string check_dns_subdomain(std::string_view name);
/// IANA service name, as of ports: at most 15, at least one letter, no double '-'.
std::string check_port_name(std::string_view name);
/// Label key: [prefix/]name.
std::string check_label_key(std::string_view key);
/// Label value: at most 63 of letters, digits, '-', '_', '.', starting and ending with a letter or digit; may be empty.
std::string check_label_value(std::string_view value);

}  // namespace api
