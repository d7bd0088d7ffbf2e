#include "proxy/controller/address_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

const char* word_of(api::Protocol protocol) {
    switch (protocol) {
        case api::Protocol::tcp:
            return "TCP";
        case api::Protocol::udp:
            return "UDP";
        case api::Protocol::sctp:
            return "SCTP";
    }
    return "";
}

std::string selector_text(const api::Labels& selector) {
    std::string text = "pods";
    for (const auto& [key, value] : selector)
        text += " " + key + "=" + value;
    return text;
}

}  // namespace

AddressUse use_of(const api::BalancedService& service, std::string sharing_key, bool ours) {
    AddressUse use{std::move(sharing_key), {}, service.backend.ports, ours, service.created};
    std::sort(use.ports.begin(), use.ports.end());
    if (service.backend.external_traffic_policy == api::TrafficPolicy::local)
        use.backend = selector_text(service.backend.selector);
    return use;
}

std::string why_not_shared(const AddressUse& one, const AddressUse& other) {
    if (one.sharing_key.empty() || other.sharing_key.empty())
        return "both need the annotation podferry.io/allow-shared-ip, with the same value, to share it";
    if (one.sharing_key != other.sharing_key)
        return fmt::format("their annotations podferry.io/allow-shared-ip differ ({} and {})",
                           base::quoted(one.sharing_key), base::quoted(other.sharing_key));
    if (one.backend != other.backend)
        return "Services that share an address are all of externalTrafficPolicy Cluster, or have the same selector";
    std::vector<std::pair<api::Protocol, std::uint16_t>> both;
    std::set_intersection(one.ports.begin(), one.ports.end(), other.ports.begin(), other.ports.end(),
                          std::back_inserter(both));
    return both.empty() ? std::string()
                        : fmt::format("both have port {} of {}", both.front().second, word_of(both.front().first));
}

bool keeps(const AddressUse& one, const api::ObjectName& name, const AddressUse& other,
           const api::ObjectName& other_name) {
    return std::tie(one.ours, one.created, name) < std::tie(other.ours, other.created, other_name);
}

void AddressLedger::set(const api::ObjectName& service, std::vector<base::Address> addresses, const AddressUse& use) {
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    if (const auto held = held_.find(service); held != held_.end()) {
        for (const base::Address& address : held->second)
            if (!std::binary_search(addresses.begin(), addresses.end(), address) ||
                users_.at(address).at(service) != use)
                remove(address, service);
    }
    for (const base::Address& address : addresses)
        add(address, service, use);
    if (addresses.empty())
        held_.erase(service);
    else
        held_[service] = std::move(addresses);
}

void AddressLedger::add(const base::Address& address, const api::ObjectName& service, const AddressUse& use) {
    if (users_[address].emplace(service, use).second && !use.sharing_key.empty())
        ++by_key_[use.sharing_key][address];
}

void AddressLedger::remove(const base::Address& address, const api::ObjectName& service) {
    const auto users = users_.find(address);
    const auto user = users->second.find(service);
    if (const std::string& key = user->second.sharing_key; !key.empty()) {
        const auto shared = by_key_.find(key);
        if (--shared->second[address] == 0)
            shared->second.erase(address);
        if (shared->second.empty())
            by_key_.erase(shared);
    }
    users->second.erase(user);
    freed_ = true;
    if (!users->second.empty())
        return;
    users_.erase(users);
    for (auto& [range, cursor] : cursors_)
        if (range.first.contains(address))
            cursor = std::min(cursor, address);
}

const AddressLedger::Users* AddressLedger::users(const base::Address& address) const {
    const auto users = users_.find(address);
    return users == users_.end() ? nullptr : &users->second;
}

std::optional<base::Address> AddressLedger::first_free(const AddressRange& range, bool avoid_buggy_ips) const {
    constexpr std::size_t most_cursors = 32'768;  // of ranges that are no more
    if (cursors_.size() > most_cursors)
        cursors_.clear();
    base::Address& cursor = cursors_.emplace(std::pair(range, avoid_buggy_ips), range.first).first->second;
    auto taken = users_.lower_bound(cursor);
    for (std::optional<base::Address> address = cursor; address && *address <= range.last;
         address = next_address(*address)) {
        cursor = *address;
        if (taken != users_.end() && taken->first == *address)
            ++taken;
        else if (!avoid_buggy_ips || !confuses_old_hosts(*address))
            return address;
    }
    return std::nullopt;
}

std::optional<base::Address> AddressLedger::first_shared(const AddressRange& range, const AddressUse& use,
                                                         const api::ObjectName& service) const {
    const auto shared = by_key_.find(use.sharing_key);
    if (use.sharing_key.empty() || shared == by_key_.end())
        return std::nullopt;
    for (auto at = shared->second.lower_bound(range.first); at != shared->second.end() && at->first <= range.last;
         ++at) {
        const Users& users = users_.at(at->first);
        const bool fits = std::all_of(users.begin(), users.end(), [&](const auto& user) {
            return user.first == service || why_not_shared(use, user.second).empty();
        });
        if (fits)
            return at->first;
    }
    return std::nullopt;
}

std::uint64_t AddressLedger::used_of(const AddressPool& pool, api::Family family) const {
    std::uint64_t used = 0;
    for (const AddressRange& range : pool.ranges)
        if (api::family_of(range.first) == family)
            for (auto at = users_.lower_bound(range.first); at != users_.end() && at->first <= range.last; ++at)
                used += pool.avoid_buggy_ips && confuses_old_hosts(at->first) ? 0 : 1;
    return used;
}

}  // namespace proxy
