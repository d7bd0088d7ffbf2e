#include "netlink/linux_kernel.hpp"

#include <linux/genetlink.h>
#include <netlink/genl/genl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <utility>

#include "netlink/ipvs_messages.hpp"
#include "netlink/nft_table.hpp"
#include "netlink/set_messages.hpp"

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

struct IpvsMessage {
    int family;
    Message operator()(const AddVirtualServer& c) const { return ipvs::add_service(family, c.server, c.settings); }
    Message operator()(const EditVirtualServer& c) const { return ipvs::set_service(family, c.server, c.settings); }
    Message operator()(const DeleteVirtualServer& c) const { return ipvs::delete_service(family, c.server); }
    Message operator()(const AddRealServer& c) const {
        return ipvs::add_destination(family, c.server, c.real, c.weight);
    }
    Message operator()(const EditRealServer& c) const {
        return ipvs::set_destination(family, c.server, c.real, c.weight);
    }
    Message operator()(const DeleteRealServer& c) const { return ipvs::delete_destination(family, c.server, c.real); }
    template <class Other>
    Message operator()(const Other&) const {
        throw std::logic_error("not a change of IPVS");
    }
};

const Element& element_of(const Change& change) {
    if (const auto* added = std::get_if<AddElement>(&change))
        return added->element;
    if (const auto* withdrawn = std::get_if<WithdrawElement>(&change))
        return withdrawn->element;
    return std::get<DeleteElement>(change).element;
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

int ipvs_family(Socket& socket) {
    Message message;
    genlmsg_put(message.get(), 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_GETFAMILY, 1);
    nla_put_string(message.get(), CTRL_ATTR_FAMILY_NAME, "IPVS");
    int family = 0;
    try {
        auto answer = socket.ask(message);
        for_each_message(answer, [&](nlmsghdr* header) {
            nlattr* attributes[CTRL_ATTR_MAX + 1] = {};
            if (genlmsg_parse(header, 0, attributes, CTRL_ATTR_MAX, nullptr) >= 0 &&
                attributes[CTRL_ATTR_FAMILY_ID] != nullptr)
                family = nla_get_u16(attributes[CTRL_ATTR_FAMILY_ID]);
        });
    } catch (const std::system_error& error) {
        if (error.code().value() != ENOENT)
            throw;
    }
    return family;
}

LinuxKernel::LinuxKernel(LinuxKernelOptions options)
    : options_(std::move(options)), ruleset_(make_ruleset(options_.rules)) {
    route_.filter_dumps();
    family_ = ipvs_family(ipvs_);
    if (family_ == 0)
        throw std::system_error(ENOENT, std::system_category(), "the kernel has no IPVS");
    style_ = {options_.route_protocol, interface_index(route_, device_name), options_.sources};
}

LinuxKernel::Prepared LinuxKernel::prepare() {
    Prepared result;
    const int before = interface_index(route_, device_name);
    style_.interface = ensure_device(route_);
    if (before == 0)
        result.done.emplace_back("device podferry0");
    for (const int family : {AF_INET, AF_INET6})
        if (needs_policy_route(family))
            for (std::string& thing : put_policy_route(family))
                result.done.push_back(std::move(thing));
    if (!nft::is_in_place(nft_, ruleset_)) {
        nft::install(nft_, ruleset_);
        result.done.emplace_back("nftables table inet podferry");
    }
    correct_sources(result);
    return result;
}

void LinuxKernel::count_passage(bool on) {
    if (options_.rules.count_passage == on)
        return;
    const bool in_place = nft::is_in_place(nft_, ruleset_);
    options_.rules.count_passage = on;
    ruleset_ = make_ruleset(options_.rules);
    if (in_place)
        nft::install(nft_, ruleset_);
}

Passage LinuxKernel::read_passage() {
    Passage passage;
    if (!options_.rules.count_passage)
        return passage;
    auto answer = nft_.dump(nft::get_rules());
    for_each_message(answer, [&](nlmsghdr* header) { nft::add_passage(header, passage); });
    return passage;
}

PolicyRoute LinuxKernel::policy_route() const {
    return {options_.rules.fwmark, options_.route_protocol, options_.route_protocol, options_.route_protocol,
            style_.interface};
}

bool LinuxKernel::needs_policy_route(int family) {
    if (routed_by_policy_.contains(family) || has_policy_rule(route_, options_.route_protocol, family))
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

void LinuxKernel::correct_sources(Prepared& result) {
    std::size_t corrected = 0;
    for (const auto& [route, source] : read_routes(route_, options_.route_protocol)) {
        const Address* wanted = source_for(style_, route);
        if (source == (wanted == nullptr ? Address() : *wanted))
            continue;
        batch_.clear();
        batch_.append(replace_route(style_, route));
        const auto rejections = route_.transact(batch_);
        if (rejections.empty())
            ++corrected;
        else
            result.problems.push_back(
                "the route of " + route.address.to_string() +
                " keeps another source address than node_ip: " + code_of(rejections.front().error).message());
    }
    if (corrected > 0)
        result.done.push_back("source address of " + std::to_string(corrected) + " routes");
}

ipvs::Timeouts LinuxKernel::timeouts() {
    std::optional<ipvs::Timeouts> timeouts;
    auto answer = ipvs_.ask(ipvs::get_config(family_));
    for_each_message(answer, [&](nlmsghdr* header) { timeouts = ipvs::parse_config(header); });
    return timeouts.value_or(ipvs::Timeouts());
}

bool LinuxKernel::set_timeouts(const ipvs::Timeouts& wanted) {
    const ipvs::Timeouts present = timeouts();
    if (ipvs::with_present(wanted, present) == present)
        return false;
    batch_.clear();
    batch_.append(ipvs::set_config(family_, wanted));
    const auto rejections = ipvs_.transact(batch_);
    if (!rejections.empty())
        throw std::system_error(code_of(rejections.front().error), "timeouts of IPVS");
    return true;
}

std::uint32_t LinuxKernel::connection_table_size() {
    std::optional<std::uint32_t> size;
    auto answer = ipvs_.ask(ipvs::get_info(family_));
    for_each_message(answer, [&](nlmsghdr* header) { size = ipvs::parse_table_size(header); });
    return size.value_or(0);
}

void LinuxKernel::remove_table_and_device() {
    nft::remove(nft_);
    remove_policy_rules(route_, options_.route_protocol);
    delete_device(route_);
}

template <class MessageOf>
void LinuxKernel::apply_each(Socket& socket, std::span<const Change> changes, std::size_t offset,
                             std::vector<Refusal>& refusals, MessageOf message_of) {
    for (std::size_t next = 0; next < changes.size();) {
        const std::size_t first = next;
        batch_.clear();
        while (next < changes.size() && !batch_.full())
            batch_.append(message_of(changes[next++]));
        for (const Rejection& rejection : socket.transact(batch_))
            refusals.push_back({offset + first + rejection.index, code_of(rejection.error)});
    }
}

std::vector<Refusal> LinuxKernel::apply(std::span<const Change> changes) {
    std::vector<Refusal> refusals;
    for (const Change& change : changes)
        if (const auto* added = std::get_if<AddElement>(&change); added && added->element.set == Set::external_address)
            if (const int family = added->element.address.is_v6() ? AF_INET6 : AF_INET;
                !routed_by_policy_.contains(family))
                put_policy_route(family);
    for (std::size_t first = 0; first < changes.size();) {
        const Way way = way_of(changes[first]);
        std::size_t last = first + 1;
        while (last < changes.size() && way_of(changes[last]) == way)
            ++last;
        const auto run = changes.subspan(first, last - first);
        switch (way) {
            case Way::ipvs:
                apply_each(ipvs_, run, first, refusals,
                           [&](const Change& change) { return std::visit(IpvsMessage{family_}, change); });
                break;
            case Way::routes:
                apply_each(route_, run, first, refusals, [&](const Change& change) {
                    const auto* added = std::get_if<AddRoute>(&change);
                    return added != nullptr ? add_route(style_, added->route)
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

KernelState LinuxKernel::read() {
    KernelState state;
    auto services = ipvs_.dump(ipvs::get_services(family_));
    for_each_message(services, [&](nlmsghdr* header) {
        if (auto found = ipvs::parse_service(header))
            state.virtual_servers.emplace(found->first, VirtualServerState{std::move(found->second), {}});
    });
    for (const auto& [route, source] : read_routes(route_, options_.route_protocol))
        state.routes.insert(route);
    for (const auto& [name, shape] : nft::all_sets())
        read_elements(name, shape, state.elements);
    return state;
}

/// None if the table does not exist.
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
        auto answer = ipvs_.dump(ipvs::get_destinations(family_, server));
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
        auto answer = ipvs_.dump(ipvs::get_destinations(family_, server));
        for_each_message(answer, [&](nlmsghdr* header) {
            if (const auto found = ipvs::parse_open_connections(header, server))
                counts.insert(*found);
        });
    }
    return all;
}

}  // namespace netlink
