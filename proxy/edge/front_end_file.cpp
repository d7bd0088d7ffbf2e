#include "proxy/edge/front_end_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "api/objects/names.hpp"
#include "api/wire/text_encoding.hpp"
#include "api/wire/yaml_document.hpp"
#include "base/plain_text.hpp"
#include "netlink/schedulers.hpp"
#include "proxy/edge/edge_fields.hpp"
#include "proxy/edge/edge_plan.hpp"
#include "proxy/edge/weights.hpp"

namespace proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_addresses = 64;  // of a front end

/// Reads one front end after the other.
class FrontEndReader {
public:
    explicit FrontEndReader(CheckRules usual) : usual_(std::move(usual)) {}

    Balanced read(const api::Field& field) {
        field.only({"name", "address", "addresses", "port", "protocol", "scheduler", "scheduler_flags", "persistence",
                    "source_ranges", "take_address", "health_check", "panic_percent", "most_out_percent",
                    "real_servers"});
        Balanced balanced;
        balanced.safety = {0, 100};  // as keepalived does: who fails is out, also the last one
        api::Service& service = balanced.service;
        service.type = api::ServiceType::load_balancer;
        read_name(field["name"], service);
        read_port(field, service);
        read_addresses(field, service);
        read_scheduling(field, service);
        read_sources(field["source_ranges"], service);
        if (!field["take_address"].flag(true))
            service.annotations[take_address_annotation] = "false";
        read_safety(field, balanced.safety);
        read_real_servers(field, balanced);
        return balanced;
    }

private:
    void read_name(const api::Field& field, api::Service& service) {
        service.name.name = field.text();
        if (service.name.name.empty()) {
            if (!field.given() || field.is_text())
                field.wrong("missing; each front end needs a name, by which a changed file finds it again");
            return;
        }
        if (const std::string complaint = api::check_dns_label(service.name.name); !complaint.empty())
            field.wrong(complaint);
        else if (!names_.insert(service.name.name).second)
            field.wrong(base::quoted(service.name.name) + " is the name of a front end above");
    }

    static void read_port(const api::Field& field, api::Service& service) {
        const api::Field port = field["port"];
        if (!port.given())
            port.wrong("missing");
        api::ServicePort made;
        made.port = static_cast<std::uint16_t>(port.integer(1, 65535, 0));
        made.protocol = static_cast<api::Protocol>(field["protocol"].one_of({"TCP", "UDP", "SCTP"}));
        made.target_port = made.port;
        service.ports = {made};
    }

    void read_addresses(const api::Field& field, api::Service& service) {
        const auto add = [&](const api::Field& item) {
            const auto address = read_edge_address(item);
            if (!address)
                return;
            const api::ServicePort& port = service.ports.front();
            const auto [holder, fresh] = held_.try_emplace({*address, port.port, port.protocol}, service.name.name);
            if (!fresh)
                item.wrong(fmt::format("{} port {} is already front end {}'s", address->to_string(), port.port,
                                       holder->second.empty() ? "another one" : holder->second));
            else
                service.ingress.push_back({*address, api::IpMode::vip});
        };
        const api::Field one = field["address"];
        const api::Field list = field["addresses"];
        if (one.given() == list.given()) {
            one.wrong(one.given() ? "give either address or addresses" : "missing");
            return;
        }
        if (one.given()) {
            add(one);
            return;
        }
        if (list.size() == 0 || list.size() > most_addresses) {
            list.wrong(fmt::format("must be a list of 1 to {} addresses", most_addresses));
            return;
        }
        list.each(add);
    }

    static void read_scheduling(const api::Field& field, api::Service& service) {
        const api::Field name = field["scheduler"];
        const std::string scheduler = name.text("wrr");
        if (!netlink::is_scheduler(scheduler))
            name.wrong(fmt::format("{} is no scheduler of IPVS; there are {}", base::quoted(scheduler),
                                   fmt::join(netlink::schedulers(), " ")));
        service.annotations["podferry.io/scheduler"] = scheduler;
        const api::Field flags = field["scheduler_flags"];
        if (flags.given() && !netlink::has_flags(scheduler))
            flags.wrong("are for the schedulers mh and sh");
        else if (flags.given())
            service.annotations["podferry.io/scheduler-flags"] = flags.text();
        if (const auto time = read_seconds(field["persistence"], 0s, 86'400s, 0s); time > 0s)
            service.client_ip_affinity = time;
    }

    static void read_sources(const api::Field& field, api::Service& service) {
        field.each([&](const api::Field& item) {
            const std::string text = item.text();
            if (const auto network = base::parse_network(text))
                service.source_ranges.push_back(*network);
            else if (!text.empty() || item.is_text())
                item.wrong(base::quoted(text) + " is not a CIDR such as 10.0.0.0/8");
        });
    }

    void read_real_servers(const api::Field& field, Balanced& balanced) {
        const CheckRules rules = read_check_rules(field["health_check"], usual_);
        const api::Field list = field["real_servers"];
        if (!list.given())
            list.wrong("missing; an empty list is a front end that refuses connections");
        std::set<std::pair<Address, std::uint16_t>> seen;
        list.each([&](const api::Field& item) {
            if (++backends_ > most_backends) {
                if (backends_ == most_backends + 1)
                    item.wrong(fmt::format("the file has more than {} real servers", most_backends));
                return;
            }
            if (auto backend = read_real_server(item, balanced.service.ports.front(), rules)) {
                if (!seen.emplace(backend->addresses.front(), backend->ports.front()).second)
                    item.wrong(backend->name + " is twice among the real servers");
                else
                    balanced.backends.push_back(std::move(*backend));
            }
        });
    }

    static std::optional<Backend> read_real_server(const api::Field& item, const api::ServicePort& front,
                                                   const CheckRules& usual) {
        item.only({"address", "port", "weight", "health_check"});
        const auto address = read_edge_address(item["address"]);
        Backend backend;
        backend.ports = {static_cast<std::uint16_t>(item["port"].integer(1, 65535, front.port))};
        backend.weight = static_cast<int>(item["weight"].integer(0, most_weight, 1));
        const CheckRules rules = read_check_rules(item["health_check"], usual);
        if (!address)
            return std::nullopt;
        backend.addresses = {*address};
        backend.name = netlink::endpoint_text(*address, backend.ports.front());
        backend.check = check_of(rules, *address, backend.ports.front(), front.protocol);
        return backend;
    }

    CheckRules usual_;
    std::set<std::string> names_;
    std::map<std::tuple<Address, std::uint16_t, api::Protocol>, std::string> held_;
    std::size_t backends_ = 0;
};

/// The document's parts, with the mistakes that they have.
class FileReader {
public:
    FileReader(const api::YamlDocument& document, const std::string& file) : document_(document), file_(file) {}

    EdgeFile read() {
        std::vector<api::Mistake> mistakes;
        const api::Field root(&document_.value, mistakes);
        const api::Field list = root["front_ends"];
        if (!list.given())
            list.wrong("missing; an empty list is an edge without front ends");
        for (const api::Mistake& twice : document_.mistakes)
            if (twice.path.size() == 1)
                mistakes.push_back(twice);
        FrontEndReader reader(read_check_rules(root["health_check"], {}));
        if (list.size() > most_front_ends)
            list.wrong(fmt::format("there are more than {}", most_front_ends));
        const bool usable = mistakes.empty();
        tell(mistakes, "");
        result_.readable = list.given();
        std::size_t index = 0;
        if (list.size() <= most_front_ends)
            list.each([&](const api::Field& item) { add(reader, item, index++, mistakes, usable); });
        return std::move(result_);
    }

private:
    /// What is wrong above the front ends is wrong of each of them: what they were stays.
    void add(FrontEndReader& reader, const api::Field& item, std::size_t index, std::vector<api::Mistake>& mistakes,
             bool usable) {
        mistakes.clear();
        Balanced balanced = reader.read(item);
        const api::ObjectName name = balanced.service.name;
        balanced.origin = {file_, document_.line_of({api::Step("front_ends"), api::Step(index)})};
        for (const api::Mistake& twice : document_.mistakes)
            if (twice.path.size() > 2 && twice.path[0] == api::Step("front_ends") && twice.path[1] == api::Step(index))
                mistakes.push_back(twice);
        if (mistakes.empty() && usable) {
            result_.front_ends.push_back(std::move(balanced));
            return;
        }
        tell(mistakes, name.name.empty() ? "" : "front end " + base::shortened(name.name, 80));
        if (name.name.empty())
            result_.nameless = true;
        else
            result_.mistaken.insert(name);
    }

    void tell(const std::vector<api::Mistake>& mistakes, const std::string& object) {
        for (const api::Mistake& mistake : mistakes)
            result_.problems.push_back(
                {{file_, document_.line_of(mistake.path)}, object, api::to_string(mistake), mistake.warning});
    }

    const api::YamlDocument& document_;
    const std::string& file_;
    EdgeFile result_;
};

EdgeFile unreadable(const std::string& file, int line, std::string why) {
    EdgeFile result;
    result.readable = false;
    result.problems.push_back({{file, line}, "", std::move(why), false});
    return result;
}

}  // namespace

const std::vector<std::string_view>& edge_sections() {
    static const std::vector<std::string_view> sections = {"front_ends", "health_check"};
    return sections;
}

EdgeFile read_edge_file(std::string_view text, const std::string& file) {
    std::string storage;
    api::YamlBudget budget;
    const auto document = api::parse_yaml_document(api::as_utf8(text, storage), budget);
    if (!document)
        return unreadable(file, document.error().line, "not valid " + document.error().message);
    if (!*document)
        return unreadable(file, 1, "is empty; an edge's file has front_ends");
    if (!(*document)->value.is_object())
        return unreadable(file, 1, "must be a mapping of settings and front_ends");
    if ((*document)->next_line != 0)
        return unreadable(file, (*document)->next_line, "more than one YAML document; an edge's file is one");
    return FileReader(**document, file).read();
}

}  // namespace proxy
