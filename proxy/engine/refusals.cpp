#include "proxy/engine/refusals.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/overloaded.hpp"

namespace proxy {
namespace {

using namespace std::chrono_literals;
using netlink::AddVirtualServer;
using netlink::Change;
using netlink::VirtualServer;

constexpr std::size_t shown = 10;

std::chrono::milliseconds backoff(int failures) {
    return std::min<std::chrono::milliseconds>(100ms * (1 << std::min(failures - 1, 10)), 30s);
}

std::size_t kind_of(const ObjectKey& key) {
    if (const auto* server = std::get_if<ServerKey>(&key))
        return server->real == netlink::RealServer{} ? 0 : 1;
    return key.index() + 1;
}

const VirtualServer* server_of(const Change& change) {
    return std::visit(
        [](const auto& c) -> const VirtualServer* {
            if constexpr (requires { c.server; })
                return &c.server;
            else
                return nullptr;
        },
        change);
}

bool is_real_server(const Change& change) {
    return std::visit([](const auto& c) { return requires { c.real; }; }, change);
}

std::string_view remedy(const Change& change, int error) {
    switch (error) {
        case EINVAL:
            return is_real_server(change)
                       ? "; the kernel accepts unicast addresses only: is it a broadcast or multicast address here?"
                       : "";
        case EACCES:
            return std::holds_alternative<netlink::AddRoute>(change)
                       ? "; is its address family switched off on device podferry0 (sysctl disable_ipv6)?"
                       : "";
        case EPERM:
            return "; podferry needs CAP_NET_ADMIN";
        case EAFNOSUPPORT:
            return "; this kernel runs without that address family";
        case EPROTONOSUPPORT:
            return "; the kernel has no IPVS: load it with 'modprobe ip_vs'";
        case EEXIST:
            return "; somebody else has made it: remove that one";
        default:
            return "";
    }
}

}  // namespace

ObjectKey key_of(const Change& change) {
    return std::visit(
        [](const auto& c) -> ObjectKey {
            if constexpr (requires { c.real; })
                return ServerKey{c.server, c.real};
            else if constexpr (requires { c.server; })
                return ServerKey{c.server, {}};
            else if constexpr (requires { c.route; })
                return c.route;
            else
                return c.element;
        },
        change);
}

void touch(const ObjectKey& key, Touched& touched) {
    std::visit(base::overloaded{[&](const ServerKey& server) { touched.virtual_servers.push_back(server.server); },
                                [&](const netlink::LocalRoute& route) { touched.routes.push_back(route); },
                                [&](const netlink::Element& element) { touched.elements.push_back(element); }},
               key);
}

bool doubts_the_mirror(const Refused& refused) {
    if (refused.failures > 1)
        return false;
    switch (refused.error.value()) {
        case ESRCH:
        case EEXIST:
            return true;
        case ENOENT:
            return !std::holds_alternative<AddVirtualServer>(refused.change) &&
                   !std::holds_alternative<netlink::EditVirtualServer>(refused.change);
        default:
            return false;
    }
}

bool is_gone_already(const Change& change, const std::error_code& error) {
    return netlink::is_removal(change) && (error.value() == ESRCH || error.value() == ENOENT);
}

int Refusals::note(const Change& change, const std::error_code& error, Time now) {
    const auto [entry, fresh] = entries_.try_emplace(key_of(change), Entry{{change, error, 0}, now});
    Entry& found = entry->second;
    if (fresh) {
        found.since = ++last_since_;
        by_age_.emplace(found.since, &found);
        ++counts_[kind_of(entry->first)];
    }
    version_ += fresh || found.refused.error != error ? 1 : 0;
    found.refused.change = change;
    found.refused.error = error;
    if (found.due <= now) {
        ++found.refused.failures;
        postpone(entry, now + backoff(found.refused.failures));
    }
    return found.refused.failures;
}

void Refusals::postpone(Entries::iterator entry, Time due) {
    by_due_.erase({entry->second.due, &entry->first});
    entry->second.due = due;
    by_due_.emplace(due, &entry->first);
}

Refusals::Entries::iterator Refusals::forget(Entries::iterator entry) {
    by_due_.erase({entry->second.due, &entry->first});
    by_age_.erase(entry->second.since);
    --counts_[kind_of(entry->first)];
    ++version_;
    return entries_.erase(entry);
}

void Refusals::note_applied(const Change& change) {
    if (entries_.empty())
        return;
    if (const auto found = entries_.find(key_of(change)); found != entries_.end())
        forget(found);
}

void Refusals::touch_due(Time now, Touched& touched) const {
    for (const auto& [due, key] : by_due_) {
        if (due > now)
            break;
        touch(*key, touched);
    }
}

bool Refusals::waits(const Change& change, Time now) const {
    const auto found = entries_.find(key_of(change));
    return found != entries_.end() && found->second.due > now &&
           netlink::to_string(found->second.refused.change) == netlink::to_string(change);
}

void Refusals::forget_unwanted(const ObjectKey& key) {
    if (const auto found = entries_.find(key); found != entries_.end() && found->second.wanted != round_)
        forget(found);
}

void Refusals::hold_back(const Touched& touched, std::vector<Change>& changes, Time now) {
    if (entries_.empty())
        return;
    ++round_;
    for (const Change& change : changes)
        if (const auto found = entries_.find(key_of(change)); found != entries_.end())
            found->second.wanted = round_;
    for (const VirtualServer& server : touched.virtual_servers)
        for (auto entry = entries_.lower_bound(ServerKey{server, {}}); entry != entries_.end();) {
            const auto* key = std::get_if<ServerKey>(&entry->first);
            if (key == nullptr || key->server != server)
                break;
            entry = entry->second.wanted == round_ ? std::next(entry) : forget(entry);
        }
    for (const netlink::LocalRoute& route : touched.routes)
        forget_unwanted(route);
    for (const netlink::Element& element : touched.elements)
        forget_unwanted(element);
    std::set<VirtualServer> missing;
    std::erase_if(changes, [&](const Change& change) {  // virtual servers come before their real servers
        if (is_real_server(change) && missing.contains(*server_of(change)))
            return true;
        if (!waits(change, now))
            return false;
        if (std::holds_alternative<AddVirtualServer>(change))
            missing.insert(*server_of(change));
        return true;
    });
}

void Refusals::retry_all(Time now) {
    by_due_.clear();
    for (auto& [key, entry] : entries_) {
        entry.due = std::min(entry.due, now);
        by_due_.emplace(entry.due, &key);
    }
}

std::optional<Time> Refusals::next() const {
    return by_due_.empty() ? std::nullopt : std::optional(by_due_.begin()->first);
}

std::vector<Refused> Refusals::oldest(std::size_t count) const {
    std::vector<Refused> found;
    for (auto entry = by_age_.begin(); entry != by_age_.end() && found.size() < count; ++entry)
        found.push_back(entry->second->refused);
    return found;
}

std::vector<api::Problem> problems_of(const Refusals& refusals, const Desired& desired,
                                      const std::function<api::Origin(const api::ObjectName&)>& origin_of) {
    std::vector<api::Problem> problems;
    for (const Refused& refused : refusals.oldest(shown)) {
        const int error = refused.error.value();
        api::Problem problem{{}, "", "", true};
        problem.message = "the kernel refuses " + netlink::to_string(refused.change) + ": " + refused.error.message() +
                          std::string(remedy(refused.change, error)) + "; retrying with back-off, at least every 30 s";
        const VirtualServer* server = server_of(refused.change);
        if (const api::ObjectName* owner = server == nullptr ? nullptr : desired.owner(*server);
            owner != nullptr && !owner->name.empty()) {
            problem.object = "Service " + api::to_string(*owner);
            problem.origin = origin_of(*owner);
        }
        problems.push_back(std::move(problem));
    }
    if (refusals.size() > shown)
        problems.push_back({{},
                            "",
                            "the kernel refuses at least " + std::to_string(std::bit_floor(refusals.size() - shown)) +
                                " other objects; podferry_changes_pending counts them",
                            true});
    return problems;
}

}  // namespace proxy
