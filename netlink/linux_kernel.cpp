#include "netlink/linux_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <utility>

#include "netlink/apply_each.hpp"
#include "netlink/host.hpp"
#include "netlink/ipvs_messages.hpp"
#include "netlink/nft_table.hpp"
#include "netlink/set_messages.hpp"
#include "netlink/sysctl.hpp"

namespace netlink {
namespace {

enum class Way { ipvs, routes, elements };

Way way_of(const Change& change) {
    return std::visit(
        [](const auto& c) {
            if constexpr (requires { c.server; })
                return Way::ipvs;
            else if constexpr (requires { c.route; })
                return Way::routes;
            else
                return Way::elements;
        },
        change);
}

const Element& element_of(const Change& change) {
    return *std::visit(
        [](const auto& c) -> const Element* {
            if constexpr (requires { c.element; })
                return &c.element;
            else
                throw std::logic_error("no change of an element");
        },
        change);
}

std::error_code code_of(int error) {
    return {error, std::system_category()};
}

/// Elements of one kernel set that go into one message.
struct Parcel {
    std::vector<std::size_t> indices;  // in the span of changes
    bool add = true;
};

/// Elements by operation and kernel set, at most `most` in a parcel.
std::vector<Parcel> pack(std::span<const Change> changes, const std::vector<bool>& dropped, std::size_t most) {
    std::map<std::tuple<bool, Set, bool, int>, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (dropped[i])
            continue;
        const Element& element = element_of(changes[i]);
        groups[{std::holds_alternative<AddElement>(changes[i]), element.set, element.address.is_v6(),
                element.sources ? element.sources->length : 0}]
            .push_back(i);
    }
    std::vector<Parcel> parcels;
    for (auto& [key, indices] : groups)
        for (std::size_t first = 0; first < indices.size(); first += most)
            parcels.push_back({{indices.begin() + static_cast<std::ptrdiff_t>(first),
                                indices.begin() + static_cast<std::ptrdiff_t>(std::min(first + most, indices.size()))},
                               std::get<0>(key)});
    return parcels;
}

}  // namespace

LinuxKernel::LinuxKernel(LinuxKernelOptions options)
    : route_protocol_(options.route_protocol), rules_(std::move(options.rules)) {
    route_.filter_dumps();
    style_ = {options.route_protocol, interface_index(route_, device_name), std::move(options.sources)};
}

LinuxKernel::Prepared LinuxKernel::prepare(bool host_changed) {
    Prepared result;
    const auto attempt = [&](const char* part, auto work) {
        try {
            work();
        } catch (const std::exception& error) {
            result.problems.push_back(part + (": " + std::string(error.what())));
            return false;
        }
        return true;
    };
    if (!attempt("IPVS", [&] { ipvs_.find(); }) || !ipvs_.is_there())
        result.problems.emplace_back(
            "the kernel has no IPVS any more (module ip_vs has been unloaded), and carries no connections to Services: "
            "load it with 'modprobe ip_vs'");
    result.ipvs_renewed = ipvs_.exchange_renewed();
    result.complete = attempt("device podferry0", [&] { prepare_device(result); });
    for (const int family : {AF_INET, AF_INET6})
        attempt(family == AF_INET6 ? "external addresses of IPv6" : "external addresses of IPv4",
                [&] { prepare_policy_route(family, result); });
    result.complete = attempt("nftables table inet podferry", [&] { prepare_rules(result); }) && result.complete;
    attempt("source addresses of routes", [&] { correct_sources(host_changed, result); });
    return result;
}

void LinuxKernel::prepare_device(Prepared& result) {
    const int before = interface_index(route_, device_name);
    style_.interface = ensure_device(route_);
    if (before == 0)
        result.done.emplace_back("device podferry0");
    // A new device has what `default` says, which may be meant for other links.
    if (!ipv6_is_on(device_name) && read_sysctl("net.ipv6.conf.all.disable_ipv6") == "0")
        set_sysctl({std::string("net.ipv6.conf.") + device_name + ".disable_ipv6", "0", "as sysctl all says"});
}

/// What was not there although we had put it in place, somebody has removed; unless its family was off meanwhile.
void LinuxKernel::prepare_policy_route(int family, Prepared& result) {
    if (family == AF_INET6 && !ipv6_is_on(device_name)) {
        routed_by_policy_.erase(family);
        return;
    }
    if (!needs_policy_route(family))
        return;
    const bool was_there = routed_by_policy_.contains(family);
    for (std::string& thing : put_policy_route(family))
        (was_there ? result.done : result.followed).push_back(std::move(thing));
}

void LinuxKernel::prepare_rules(Prepared& result) {
    const RulesInKernel::Put put = rules_.put(nft_);
    if (put != RulesInKernel::Put::in_place)
        (put == RulesInKernel::Put::followed ? result.followed : result.done)
            .emplace_back("nftables table inet podferry");
}

PolicyRoute LinuxKernel::policy_route() const {
    return {rules_.fwmark(), route_protocol_, route_protocol_, route_protocol_, style_.interface};
}

bool LinuxKernel::needs_policy_route(int family) {
    if (routed_by_policy_.contains(family) || has_policy_rule(route_, route_protocol_, family))
        return true;
    std::set<Element> external;
    for (const auto& [name, shape] : nft::all_sets())
        if (shape.set == Set::external_address && shape.address.is_v6() == (family == AF_INET6))
            read_elements(name, shape, external);
    return !external.empty();
}

std::vector<std::string> LinuxKernel::put_policy_route(int family) {
    auto done = ensure_policy_route(route_, policy_route(), family);
    routed_by_policy_.insert(family);
    return done;
}

void LinuxKernel::correct_sources(bool host_changed, Prepared& result) {
    const bool follows = std::exchange(sources_changed_, false) || host_changed;
    std::size_t corrected = 0;
    std::string refused;
    for (const auto& [route, source] : read_routes(route_, route_protocol_)) {
        const Address* wanted = source_for(style_, route);
        if (source == (wanted == nullptr ? Address() : *wanted))
            continue;
        batch_.clear();
        batch_.append(replace_route(style_, route));
        const auto rejections = route_.transact(batch_);
        if (rejections.empty())
            ++corrected;
        else if (refused.empty())
            refused = route.address.to_string() + ": " + code_of(rejections.front().error).message();
    }
    if (!refused.empty())
        result.problems.push_back("routes keep another source address than node_ip, first that of " + refused);
    if (corrected > 0)
        (follows ? result.followed : result.done)
            .push_back("source address of " + std::to_string(corrected) + " routes");
}

ipvs::Timeouts LinuxKernel::timeouts() {
    std::optional<ipvs::Timeouts> timeouts;
    auto answer = ipvs_.ask(ipvs::get_config);
    for_each_message(answer, [&](nlmsghdr* header) { timeouts = ipvs::parse_config(header); });
    return timeouts.value_or(ipvs::Timeouts());
}

bool LinuxKernel::set_timeouts(const ipvs::Timeouts& wanted) {
    const ipvs::Timeouts present = timeouts();
    if (!ipvs_.is_there() || ipvs::with_present(wanted, present) == present)
        return false;
    if (const int error = ipvs_.transact([&](int family) { return ipvs::set_config(family, wanted); }); error != 0)
        throw std::system_error(code_of(error), "timeouts of IPVS");
    return true;
}

std::uint32_t LinuxKernel::connection_table_size() {
    std::optional<std::uint32_t> size;
    auto answer = ipvs_.ask(ipvs::get_info);
    for_each_message(answer, [&](nlmsghdr* header) { size = ipvs::parse_table_size(header); });
    return size.value_or(0);
}

void LinuxKernel::remove_table_and_device() {
    nft::remove(nft_);
    remove_policy_rules(route_, route_protocol_);
    delete_device(route_);
}

/// The errno of what leads packets to external addresses of that family to IPVS.
int LinuxKernel::lead_marked_packets(int family) try {
    if (!routed_by_policy_.contains(family))
        put_policy_route(family);
    return 0;
} catch (const std::system_error& error) {
    return error.code().value();
}

std::vector<Refusal> LinuxKernel::apply(std::span<const Change> changes) {
    std::vector<Refusal> refusals;
    for (std::size_t first = 0; first < changes.size();) {
        const Way way = way_of(changes[first]);
        std::size_t last = first + 1;
        while (last < changes.size() && way_of(changes[last]) == way)
            ++last;
        const auto run = changes.subspan(first, last - first);
        switch (way) {
            case Way::ipvs:
                ipvs_.apply(run, first, refusals);
                break;
            case Way::routes:
                apply_each(route_, batch_, run, first, refusals, [&](const Change& change) {
                    const auto* added = std::get_if<AddRoute>(&change);
                    return added != nullptr ? add_route(style_, added->route, shared_.contains(added->route.address))
                                            : delete_route(style_, std::get<DeleteRoute>(change).route);
                });
                break;
            case Way::elements:
                apply_elements(run, first, refusals);
                break;
        }
        first = last;
    }
    return refusals;
}

/// An nfnetlink batch is all or nothing. First everything in large parcels; if the kernel refuses any, one element a
/// message shows which, and the rest is sent again without them.
void LinuxKernel::apply_elements(std::span<const Change> changes, std::size_t offset, std::vector<Refusal>& refusals) {
    constexpr std::size_t large = 500;
    std::vector<bool> dropped(changes.size(), false);
    std::map<int, int> errors;  // by family
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto* added = std::get_if<AddElement>(&changes[i]);
        if (added == nullptr || added->element.set != Set::external_address)
            continue;
        const int family = family_of(added->element.address);
        if (!errors.contains(family))
            errors[family] = lead_marked_packets(family);
        dropped[i] = errors[family] != 0;
        if (dropped[i])
            refusals.push_back({offset + i, code_of(errors[family])});
    }
    for (std::size_t most = large;; most = 1) {
        const std::vector<Parcel> parcels = pack(changes, dropped, most);
        if (parcels.empty())
            return;
        batch_.clear();
        batch_.append(nft::batch_begin());
        for (const Parcel& parcel : parcels) {
            std::vector<const Element*> elements;
            for (const std::size_t index : parcel.indices)
                elements.push_back(&element_of(changes[index]));
            batch_.append(nft::change_elements(parcel.add, elements));
        }
        batch_.append(nft::batch_end());
        const std::vector<Rejection> rejections = nft_.transact_whole(batch_);
        if (rejections.empty())
            return;
        for (const Rejection& rejection : rejections) {
            const bool whole = rejection.index == 0;
            if (!whole && most != 1)
                continue;
            for (std::size_t parcel = 0; parcel < parcels.size(); ++parcel)
                for (const std::size_t index : parcels[parcel].indices)
                    if ((whole || parcel + 1 == rejection.index) && !dropped[index]) {
                        dropped[index] = true;
                        refusals.push_back({offset + index, code_of(rejection.error)});
                    }
        }
    }
}

void LinuxKernel::read_part(const Part& part, KernelState& state) {
    if (part.kind == Part::Kind::routes)
        for (const auto& [route, source] : read_routes(route_, route_protocol_))
            state.routes.insert(route);
    if (part.kind == Part::Kind::elements)
        for (const auto& [name, shape] : nft::all_sets())
            if (shape.set == part.set && shape.address.is_v6() == part.ipv6)
                read_elements(name, shape, state.elements);
    if (part.kind != Part::Kind::virtual_servers)
        return;
    auto services = ipvs_.ask(ipvs::get_services);
    for_each_message(services, [&](nlmsghdr* header) {
        if (auto found = ipvs::parse_service(header))
            state.virtual_servers.emplace(found->first, VirtualServerState{std::move(found->second), {}});
    });
}

/// Finds none if the table does not exist.
void LinuxKernel::read_elements(const std::string& name, const Element& shape, std::set<Element>& elements) {
    try {
        auto answer = nft_.dump(nft::get_elements(name));
        for_each_message(answer, [&](nlmsghdr* header) { nft::parse_elements(header, shape, elements); });
    } catch (const std::system_error& error) {
        if (error.code().value() != ENOENT)
            throw;
    }
}

std::vector<RealServers> LinuxKernel::read_real_servers(std::span<const VirtualServer> servers) {
    std::vector<RealServers> all;
    all.reserve(servers.size());
    for (const VirtualServer& server : servers) {
        RealServers& reals = all.emplace_back();
        auto answer = ipvs_.ask([&](int family) { return ipvs::get_destinations(family, server); });
        for_each_message(answer, [&](nlmsghdr* header) {
            if (const auto found = ipvs::parse_destination(header, server))
                reals.insert(*found);
            connections_seen_ += ipvs::parse_connections(header);
        });
    }
    return all;
}

std::vector<ConnectionCounts> LinuxKernel::read_connections(std::span<const VirtualServer> servers) {
    std::vector<ConnectionCounts> all;
    all.reserve(servers.size());
    for (const VirtualServer& server : servers) {
        ConnectionCounts& counts = all.emplace_back();
        auto answer = ipvs_.ask([&](int family) { return ipvs::get_destinations(family, server); });
        for_each_message(answer, [&](nlmsghdr* header) {
            if (const auto found = ipvs::parse_open_connections(header, server))
                counts.insert(*found);
        });
    }
    return all;
}

}  // namespace netlink
