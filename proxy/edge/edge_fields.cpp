#include "proxy/edge/edge_fields.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/go_duration.hpp"
#include "base/plain_text.hpp"
#include "proxy/plan/special_addresses.hpp"

namespace proxy {
namespace {

using namespace std::chrono_literals;

/// Neither ends a line of a request, nor begins another header.
bool is_one_line(const std::string& text) {
    return text.find_first_of("\r\n") == std::string::npos && text.find('\0') == std::string::npos;
}

void read_line(const api::Field& field, std::string& text) {
    if (!field.given())
        return;
    std::string given = field.text();
    if (given.size() > 1024 || !is_one_line(given))
        field.wrong("must be a single line of at most 1024 characters");
    else
        text = std::move(given);
}

}  // namespace

std::chrono::seconds read_seconds(const api::Field& field, std::chrono::seconds low, std::chrono::seconds high,
                                  std::chrono::seconds usual) {
    if (!field.given())
        return usual;
    const std::string text = field.text();
    if (text.empty() && !field.is_text())
        return usual;  // it has been said what is wrong
    const auto time = base::parse_go_duration(text);
    const auto whole = time ? std::chrono::duration_cast<std::chrono::seconds>(*time) : 0s;
    if (time && whole == *time && whole >= low && whole <= high)
        return whole;
    field.wrong(fmt::format("{} is not a duration of whole seconds from {}s to {}s, such as 5s", base::quoted(text),
                            low.count(), high.count()));
    return usual;
}

void read_timing(const api::Field& section, health::Timing& timing) {
    timing.period = read_seconds(section["interval"], 1s, 3600s, timing.period);
    timing.timeout = read_seconds(section["timeout"], 1s, 300s, timing.timeout);
    timing.success_threshold = static_cast<int>(section["success_threshold"].integer(1, 100, timing.success_threshold));
    timing.failure_threshold = static_cast<int>(section["failure_threshold"].integer(1, 100, timing.failure_threshold));
}

CheckRules read_check_rules(const api::Field& field, CheckRules usual) {
    if (!field.given())
        return usual;
    field.only({"type", "port", "path", "host", "interval", "timeout", "success_threshold", "failure_threshold"});
    CheckRules rules = std::move(usual);
    if (const api::Field type = field["type"]; type.given()) {
        using enum CheckRules::Type;
        constexpr CheckRules::Type types[] = {tcp, http, https, none};
        rules.type = types[type.one_of({"tcp", "http", "https", "none"})];
    }
    rules.port = static_cast<std::uint16_t>(field["port"].integer(1, 65535, rules.port));
    const api::Field path = field["path"];
    read_line(path, rules.path);
    if (path.given() && !rules.path.starts_with('/'))
        path.wrong("must begin with /");
    read_line(field["host"], rules.host);
    read_timing(field, rules.timing);
    return rules;
}

std::optional<HealthCheck> check_of(const CheckRules& rules, const Address& address, std::uint16_t port,
                                    api::Protocol protocol) {
    using enum CheckRules::Type;
    const auto type = rules.type != usual ? rules.type : protocol == api::Protocol::tcp ? tcp : none;
    const std::uint16_t asked = rules.port != 0 ? rules.port : port;
    if (type == none)
        return std::nullopt;
    if (type == tcp)
        return HealthCheck{{health::TcpCheck{address.to_string(), asked}, rules.timing}};
    health::HttpCheck asks;
    asks.host = address.to_string();
    asks.port = asked;
    asks.path = rules.path;
    asks.https = type == https;
    if (!rules.host.empty())
        asks.headers.emplace_back("Host", rules.host);
    return HealthCheck{{std::move(asks), rules.timing}};
}

void read_safety(const api::Field& section, SafetyRules& safety) {
    const auto percent = [&](const char* name, std::size_t usual) {
        return static_cast<std::size_t>(section[name].integer(0, 100, static_cast<std::int64_t>(usual)));
    };
    safety.panic_percent = percent("panic_percent", safety.panic_percent);
    safety.most_out_percent = percent("most_out_percent", safety.most_out_percent);
}

std::optional<Address> read_edge_address(const api::Field& field) {
    if (!field.given()) {
        field.wrong("missing");
        return std::nullopt;
    }
    const std::string text = field.text();
    const auto address = base::parse_address(text);
    if (!address) {
        if (!text.empty())
            field.wrong(base::quoted(text) + " is not an IP address");
        return std::nullopt;
    }
    if (const std::string kind = special_kind(*address, {}); !kind.empty()) {
        field.wrong(text + " is " + kind);
        return std::nullopt;
    }
    return address;
}

}  // namespace proxy
