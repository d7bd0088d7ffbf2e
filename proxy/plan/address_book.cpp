#include "proxy/plan/address_book.hpp"

#include <algorithm>
#include <utility>

namespace proxy {

namespace {

constexpr std::size_t most_in_use = 64;

}  // namespace

void AddressBook::put(const api::ObjectName& service, const std::vector<api::Address>& cluster_ips) {
    const std::vector<Address> now(cluster_ips.begin(), cluster_ips.end());
    const auto known = owned_.find(service);
    if (known == owned_.end() ? now.empty() : known->second == now)
        return;
    forget_cluster_ips(service);
    for (const Address& address : now)
        if (cluster_ips_[address]++ == 0)
            affect_watchers_of(address);
    if (!now.empty())
        owned_[service] = now;
}

void AddressBook::forget_cluster_ips(const api::ObjectName& service) {
    const auto known = owned_.find(service);
    if (known == owned_.end())
        return;
    for (const Address& address : known->second) {
        const auto users = cluster_ips_.find(address);
        if (--users->second > 0)
            continue;
        cluster_ips_.erase(users);
        affect_watchers_of(address);
    }
    owned_.erase(known);
}

void AddressBook::watch(const api::ObjectName& service, std::set<Address> named) {
    const auto known = named_.find(service);
    if (known == named_.end() ? named.empty() : known->second == named)
        return;
    if (known != named_.end()) {
        for (const Address& address : known->second)
            if (const auto watchers = watchers_.find(address);
                watchers->second.erase(service) > 0 && watchers->second.empty())
                watchers_.erase(watchers);
        named_.erase(known);
    }
    for (const Address& address : named)
        watchers_[address].insert(service);
    if (!named.empty())
        named_[service] = std::move(named);
}

void AddressBook::put_health_port(const api::ObjectName& service, std::uint16_t port,
                                  const std::set<api::Address>& own) {
    const auto known = health_port_of_.find(service);
    const std::uint16_t before = known == health_port_of_.end() ? 0 : known->second;
    if (before == port)
        return;
    bool changed = false;
    if (before != 0 && --health_ports_[before] == 0)
        changed = health_ports_.erase(before) > 0;
    if (port != 0 && health_ports_[port]++ == 0)
        changed = true;
    if (port != 0)
        health_port_of_[service] = port;
    else
        health_port_of_.erase(service);
    if (changed)
        for (const api::Address& address : own)
            affect_watchers_of(address);
}

void AddressBook::remove(const api::ObjectName& service, const std::set<api::Address>& own) {
    forget_cluster_ips(service);
    put_health_port(service, 0, own);
    watch(service, {});
    affected_.erase(service);
    if (is_api_service(service))
        set_servers_of_cluster({});
}

void AddressBook::affect_watchers_of(const Address& address) {
    if (const auto watchers = watchers_.find(address); watchers != watchers_.end())
        affected_.insert(watchers->second.begin(), watchers->second.end());
}

/// An API server at one of the node's own addresses closes a port at all of them: whoever names any address is
/// affected.
void AddressBook::affect_all() {
    for (const auto& [service, named] : named_)
        affected_.insert(service);
}

void AddressBook::add_server_in_use(const ServerAddress& where) {
    if (!in_use_.insert(where).second)
        return;
    in_use_order_.push_back(where);
    if (in_use_order_.size() > most_in_use) {
        in_use_.erase(in_use_order_.front());
        in_use_order_.pop_front();
    }
    affect_all();
}

void AddressBook::set_servers_of_cluster(Servers servers) {
    if (of_cluster_ == servers)
        return;
    of_cluster_ = std::move(servers);
    affect_all();
}

bool AddressBook::is_api_server(const ServerAddress& where) const {
    return in_use_.contains(where) || of_cluster_.contains(where);
}

bool AddressBook::has_api_server(const Address& address) const {
    const auto there = [&](const Servers& servers) {
        const auto first = servers.lower_bound({address, 0});
        return first != servers.end() && first->address == address;
    };
    return there(in_use_) || there(of_cluster_);
}

AddressBook::Servers AddressBook::servers() const {
    Servers all = in_use_;
    all.insert(of_cluster_.begin(), of_cluster_.end());
    return all;
}

std::set<api::ObjectName> AddressBook::exchange_affected() {
    return std::exchange(affected_, {});
}

}  // namespace proxy
