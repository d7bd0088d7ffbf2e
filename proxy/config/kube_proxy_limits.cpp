// Of a KubeProxyConfiguration: the sizes and timeouts of connection tracking, and the timeouts of IPVS.
#include <fmt/format.h>

#include <algorithm>

#include "base/go_duration.hpp"
#include "proxy/config/kube_proxy_values.hpp"
#include "proxy/config/setting_values.hpp"
#include "proxy/config/settings.hpp"

namespace proxy::kube_proxy {
namespace {

using api::Field;
using std::chrono::milliseconds;

std::string take_number(Taking& taking, const Field& field, std::string_view setting) {
    const std::string text = std::to_string(field.integer(INT32_MIN, INT32_MAX, 0));
    const std::string wrong = find_setting(setting)->read(taking.result.config, {text});
    field.check(wrong);
    return wrong.empty() ? fmt::format("honoured as {}", setting) : "";
}

/// In whole seconds, as the kernel has them; what is shorter than one is one, because 0 means "leave it".
std::string take_timeout(Taking& taking, const Field& field, std::string_view setting, milliseconds Config::* target) {
    using namespace std::chrono_literals;
    constexpr std::chrono::nanoseconds longest = 576h;
    const auto time = *base::parse_go_duration(field.text());
    if (time < 0ns) {
        field.wrong("must be 0 or greater");
        return {};
    }
    const auto taken = std::chrono::ceil<std::chrono::seconds>(std::min(time, longest));
    taking.result.config.*target = taken;
    return fmt::format("honoured as {} {}{}", setting, print_ranged(milliseconds(taken)),
                       time > longest ? ", the longest there is" : "");
}

}  // namespace

std::string take_conntrack_max_per_core(Taking& taking, const Field& field) {
    return take_number(taking, field, "conntrack_max_per_core");
}

std::string take_conntrack_min(Taking& taking, const Field& field) {
    return take_number(taking, field, "conntrack_min");
}

std::string take_conntrack_tcp_be_liberal(Taking& taking, const Field& field) {
    taking.result.config.conntrack_tcp_be_liberal = field.flag(false);
    return "honoured as conntrack_tcp_be_liberal";
}

std::string take_conntrack_tcp_timeout_close_wait(Taking& taking, const Field& field) {
    return take_timeout(taking, field, "conntrack_tcp_timeout_close_wait", &Config::conntrack_tcp_timeout_close_wait);
}

std::string take_conntrack_tcp_timeout_established(Taking& taking, const Field& field) {
    return take_timeout(taking, field, "conntrack_tcp_timeout_established", &Config::conntrack_tcp_timeout_established);
}

std::string take_conntrack_udp_timeout(Taking& taking, const Field& field) {
    return take_timeout(taking, field, "conntrack_udp_timeout", &Config::conntrack_udp_timeout);
}

std::string take_conntrack_udp_timeout_stream(Taking& taking, const Field& field) {
    return take_timeout(taking, field, "conntrack_udp_timeout_stream", &Config::conntrack_udp_timeout_stream);
}

std::string take_ipvs_tcp_timeout(Taking& taking, const Field& field) {
    return take_timeout(taking, field, "ipvs_tcp_timeout", &Config::ipvs_tcp_timeout);
}

std::string take_ipvs_tcpfin_timeout(Taking& taking, const Field& field) {
    return take_timeout(taking, field, "ipvs_tcpfin_timeout", &Config::ipvs_tcpfin_timeout);
}

std::string take_ipvs_udp_timeout(Taking& taking, const Field& field) {
    return take_timeout(taking, field, "ipvs_udp_timeout", &Config::ipvs_udp_timeout);
}

}  // namespace proxy::kube_proxy
