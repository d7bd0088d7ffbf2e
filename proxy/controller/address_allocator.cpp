#include "proxy/controller/address_allocator.hpp"

#include <algorithm>
#include <utility>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

using base::Address;

constexpr std::size_t longest_message = 4096;  // bytes of a condition; the server allows 32,768
constexpr std::size_t most_looked_at = 1024;   // Services in one turn of the loop

std::vector<Address> both(std::vector<Address> one, const std::vector<Address>& other) {
    for (const Address& address : other)
        if (std::find(one.begin(), one.end(), address) == one.end())
            one.push_back(address);
    return one;
}

api::StatusCondition condition_of(const Assignment& assignment) {
    return {assignment.satisfied() ? "True" : "False", std::string(word(assignment.fate)),
            base::shortened(base::printable(assignment.message), longest_message)};
}

/// It is as long as its Service has that version.
bool is_open(const AddressReservation& reservation, const ServiceRoll& services) {
    const BalancedServicePtr service = services.find(reservation.service);
    return service && service->uid == reservation.uid && service->version == reservation.version;
}

std::vector<Address> added_by(const StatusWrite& write, const api::BalancedService& service) {
    std::vector<Address> added = addresses_of(write.ingress);
    const std::vector<Address> before = addresses_of(service.ingress);
    std::erase_if(added, [&](const Address& address) {
        return std::find(before.begin(), before.end(), address) != before.end();
    });
    return added;
}

StatusWrite write_of(const api::BalancedService& service) {
    StatusWrite write;
    write.service = service.name;
    write.uid = service.uid;
    write.version = service.version;
    write.ingress = service.ingress;
    write.condition = service.condition;
    return write;
}

}  // namespace

// ---- what comes in -------------------------------------------------------------------------------------------

void AddressAllocator::configure(PoolConfig config) {
    config_ = std::move(config);
    if (listed_)
        services_.each([this](const api::BalancedService& service) {
            hold(service.name);
            touch(service.name);
        });
}

void AddressAllocator::begin(const std::vector<AddressReservation>& reservations) {
    services_.clear();
    ledger_ = {};
    dirty_.clear();
    waiting_.clear();
    unsatisfied_.clear();
    pauses_.clear();
    in_flight_.clear();
    reservations_.clear();
    listed_ = false;
    for (const AddressReservation& reservation : reservations)
        reservations_[reservation.service] = {reservation, true};
}

void AddressAllocator::list(std::vector<BalancedServicePtr> services, Time now) {
    const auto changed = services_.list(std::move(services), now);
    if (!std::exchange(listed_, true))
        for (const auto& [name, held] : std::map(reservations_))
            look_at(name);
    for (const api::ObjectName& name : changed)
        look_at(name);
}

void AddressAllocator::put(BalancedServicePtr service) {
    const api::ObjectName name = service->name;
    if (services_.put(std::move(service)))
        look_at(name);
}

void AddressAllocator::remove(const api::ObjectName& name) {
    if (services_.remove(name))
        look_at(name);
}

/// A Service has changed, or is gone.
void AddressAllocator::look_at(const api::ObjectName& name) {
    const auto held = reservations_.find(name);
    if (held != reservations_.end() && !is_open(held->second.reservation, services_))
        reservations_.erase(held);
    pauses_.end(name);
    hold(name);
    if (services_.find(name)) {
        touch(name);
        return;
    }
    waiting_.erase(name);
    unsatisfied_.erase(name);
    pauses_.worked(name);
}

/// Its addresses are its own from now on. Whoever has one of them too is to be looked at.
void AddressAllocator::hold(const api::ObjectName& name) {
    const BalancedServicePtr service = services_.find(name);
    if (!service) {
        ledger_.forget(name);
        return;
    }
    const auto addresses = both(addresses_of(service->ingress), reserved_for(name));
    const bool ours = is_ours(*service, config_);
    ledger_.set(name, addresses, use_of(*service, request_of(*service, config_).sharing_key, ours));
    for (const Address& address : addresses)
        if (const auto* users = ledger_.users(address); users->size() > 1)
            for (const auto& [other, use] : *users)
                if (other != name && use.ours)
                    touch(other);
}

void AddressAllocator::touch(const api::ObjectName& name) {
    if (const BalancedServicePtr service = services_.find(name))
        dirty_.emplace(service->created, name);
}

std::vector<Address> AddressAllocator::reserved_for(const api::ObjectName& name) const {
    const auto held = reservations_.find(name);
    return held == reservations_.end() ? std::vector<Address>() : held->second.reservation.addresses;
}

// ---- what goes out -------------------------------------------------------------------------------------------

std::vector<StatusWrite> AddressAllocator::plan(Time now, std::size_t most) {
    std::vector<StatusWrite> writes;
    if (!listed_)
        return writes;
    for (const api::ObjectName& name : services_.release(now))
        look_at(name);
    pauses_.each([&](const api::ObjectName& name, Time until) {
        if (until <= now)
            touch(name);
    });
    if (ledger_.take_freed())
        for (const api::ObjectName& name : waiting_)
            touch(name);
    std::size_t looked_at = 0;
    bool full = false;
    for (auto at = dirty_.begin(); at != dirty_.end() && writes.size() < most && looked_at < most_looked_at;) {
        const api::ObjectName name = at->second;
        if (in_flight_.contains(name)) {
            ++at;  // when it is back
            continue;
        }
        ++looked_at;
        auto write = pauses_.lasts(name, now) ? std::nullopt : judge(name);
        if (write && !has_room_for(*write)) {
            ++at;  // when others are done
            full = true;
            continue;
        }
        at = dirty_.erase(at);
        if (!write)
            continue;
        if (write->adds)
            reserve(*write);
        in_flight_.insert(name);
        writes.push_back(std::move(*write));
    }
    more_ = !full && looked_at == most_looked_at;
    return writes;
}

bool AddressAllocator::has_room_for(const StatusWrite& write) const {
    return !write.adds || reservations_.contains(write.service) || reservations_.size() < most_reservations;
}

std::optional<StatusWrite> AddressAllocator::judge(const api::ObjectName& name) {
    const BalancedServicePtr service = services_.find(name);
    if (!service)
        return std::nullopt;
    auto write = is_ours(*service, config_) ? judge_ours(*service) : judge_other(*service);
    if (!write)
        pauses_.worked(name);
    return write;
}

/// A status that is as it should be is left alone, unless a write that has not been answered may still come: another
/// one, which changes nothing but the condition's time, makes an end of that.
std::optional<StatusWrite> AddressAllocator::judge_ours(const api::BalancedService& service) {
    Assignment assignment = assign(service, reserved_for(service.name), config_, ledger_);
    if (assignment.waits)
        waiting_.insert(service.name);
    else
        waiting_.erase(service.name);
    if (assignment.satisfied())
        unsatisfied_.erase(service.name);
    else
        unsatisfied_[service.name] = assignment.fate;
    StatusWrite write = write_of(service);
    write.condition = condition_of(assignment);
    write.changes_ingress = assignment.ingress != service.ingress;
    write.adds = !assignment.added.empty();
    write.news = write.condition != service.condition;
    write.warning = assignment.fate != AddressFate::allocated;
    write.lost = std::move(assignment.lost);
    write.ingress = std::move(assignment.ingress);
    if (!write.changes_ingress && !write.news && !reservations_.contains(service.name))
        return std::nullopt;
    return write;
}

/// A Service that is no longer ours loses our condition; and its addresses when it is no longer of type LoadBalancer,
/// should the server have left them there.
std::optional<StatusWrite> AddressAllocator::judge_other(const api::BalancedService& service) {
    waiting_.erase(service.name);
    unsatisfied_.erase(service.name);
    StatusWrite write = write_of(service);
    if (reservations_.contains(service.name)) {
        write.condition = {"Unknown", "NotOurs", "podferry gives this Service no addresses any more"};
        return write;
    }
    if (!service.condition)
        return std::nullopt;
    write.condition.reset();
    if (!service.is_balancer)
        write.ingress.clear();
    write.changes_ingress = write.ingress != service.ingress;
    return write;
}

void AddressAllocator::reserve(const StatusWrite& write) {
    Held& held = reservations_[write.service];
    const auto before = std::move(held.reservation.addresses);
    held.reservation = {write.service, write.uid, write.version, {}};
    held.reservation.addresses = both(before, added_by(write, *services_.find(write.service)));
    hold(write.service);
}

std::vector<AddressReservation> AddressAllocator::reservations() const {
    std::vector<AddressReservation> list;
    for (const auto& [name, held] : reservations_)
        list.push_back(held.reservation);
    return list;
}

// ---- what has become of it -----------------------------------------------------------------------------------

void AddressAllocator::finish(const StatusWrite& write, WriteResult result, Time now) {
    using enum WriteResult::Kind;
    const api::ObjectName& name = write.service;
    in_flight_.erase(name);
    if (result.service && services_.note_answer(std::move(result.service)))
        look_at(name);
    const auto held = reservations_.find(name);
    const bool open = held != reservations_.end() && held->second.reservation.version == write.version;
    if (open && result.kind == unknown)
        held->second.uncertain = true;
    if (open && (result.kind == conflict || result.kind == refused) && !held->second.uncertain) {
        reservations_.erase(held);
        hold(name);
    }
    const BalancedServicePtr now_there = services_.find(name);
    if (!now_there || now_there->version != write.version)
        pauses_.worked(name);  // what it is now has not been tried yet
    else
        pauses_.failed(name, now);
}

std::optional<AddressAllocator::Time> AddressAllocator::next_moment() const {
    std::optional<Time> next = services_.due();
    pauses_.each([&](const api::ObjectName& name, Time until) {
        if (!in_flight_.contains(name) && (!next || until < *next))
            next = until;
    });
    return next;
}

}  // namespace proxy
