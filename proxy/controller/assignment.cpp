#include "proxy/controller/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

using base::Address;

constexpr std::array<std::string_view, 9> fates = {
    "AddressAllocated", "AddressOutsidePools", "PoolExhausted", "AddressTaken", "AddressNotGiven",
    "WrongFamily",      "UnknownPool",         "NoPool",        "BadRequest"};

bool has(const std::vector<Address>& addresses, const Address& address) {
    return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

const char* word_of(api::Family family) {
    return family == api::Family::ipv6 ? "IPv6" : "IPv4";
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

/// The first ones: a message has room for 1,024 bytes.
std::string names_of(const std::vector<const AddressPool*>& pools) {
    constexpr std::size_t most = 8;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(pools.size(), most); ++i)
        names.push_back(pools[i]->name);
    if (pools.size() > most)
        names.push_back(fmt::format("and {} more", pools.size() - most));
    return join(names);
}

std::vector<const AddressPool*> all_of(const PoolConfig& config) {
    std::vector<const AddressPool*> pools;
    for (const AddressPool& pool : config.pools)
        pools.push_back(&pool);
    return pools;
}

/// Puts together what one Service gets.
class Deal {
public:
    Deal(const api::BalancedService& service, const PoolConfig& config, const AddressLedger& ledger)
        : service_(service),
          config_(config),
          ledger_(ledger),
          request_(request_of(service, config)),
          use_(use_of(service, request_.sharing_key, true)) {}

    Assignment make(const std::vector<Address>& reserved) {
        for (const Address& address : addresses_of(service_.ingress))
            held_.push_back(address);
        for (const Address& address : reserved)
            if (!has(held_, address))
                held_.push_back(address);
        keep_what_holds();
        if (!request_.mistake.empty())
            fail(AddressFate::bad_request, request_.mistake);
        else if (service_.terminating)
            ;  // it keeps what it has until it is gone
        else if (!request_.addresses.empty())
            obey();
        else
            fill();
        return finish();
    }

private:
    // ---- what it has ---------------------------------------------------------------------------------------------

    /// Loses what another Service has with more right, and what is of a family that it no longer has.
    void keep_what_holds() {
        for (const Address& address : held_) {
            const std::string rival = stronger_rival(address);
            if (!rival.empty())
                lost_ = rival;
            else if (wants_family(api::family_of(address)))
                kept_.push_back(address);
        }
    }

    bool wants_family(api::Family family) const {
        return std::find(service_.families.begin(), service_.families.end(), family) != service_.families.end();
    }

    std::string stronger_rival(const Address& address) const {
        const AddressLedger::Users* users = ledger_.users(address);
        if (users == nullptr)
            return {};
        for (const auto& [name, use] : *users) {
            if (name == service_.name || !keeps(use, name, use_, service_.name))
                continue;
            if (const std::string why = why_not_shared(use_, use); !why.empty())
                return taken_words(address, name, why);
        }
        return {};
    }

    static std::string taken_words(const Address& address, const api::ObjectName& owner, const std::string& why) {
        return fmt::format("{} is an address of Service {}; ask for another one, or share it: {}", address.to_string(),
                           base::printable(to_string(owner)), why);
    }

    // ---- addresses that it names ---------------------------------------------------------------------------------

    /// All or nothing: of several addresses each is one that people rely on.
    void obey() {
        for (const Address& address : request_.addresses)
            if (!may_have(address))
                return;
        if (service_.family_policy == api::FamilyPolicy::require_dual_stack)
            for (const api::Family family : service_.families)
                if (std::none_of(request_.addresses.begin(), request_.addresses.end(),
                                 [&](const Address& one) { return api::family_of(one) == family; }))
                    return fail(AddressFate::wrong_family,
                                fmt::format("spec.ipFamilyPolicy is RequireDualStack, but none of the addresses that "
                                            "it asks for is {}; name one of each family",
                                            word_of(family)));
        kept_ = request_.addresses;
    }

    bool may_have(const Address& address) {
        if (!wants_family(api::family_of(address)))
            return refuse(AddressFate::wrong_family,
                          fmt::format("{} is {}, which the Service is not: ask for another address, or change "
                                      "spec.ipFamilies",
                                      address.to_string(), word_of(api::family_of(address))));
        if (has(kept_, address) && config_.pool_of(address) == nullptr)
            return true;  // it had it before it was in no pool
        const AddressPool* pool = config_.pool_of(address);
        if (const std::string why = why_not_from(pool, address); !why.empty())
            return refuse(AddressFate::address_not_given, why);
        const AddressLedger::Users* users = ledger_.users(address);
        if (users == nullptr || has(kept_, address))
            return true;
        for (const auto& [name, use] : *users)
            if (const std::string why = why_not_shared(use_, use); name != service_.name && !why.empty())
                return refuse(AddressFate::address_taken, taken_words(address, name, why));
        return true;
    }

    std::string why_not_from(const AddressPool* pool, const Address& address) const {
        if (pool == nullptr)
            return fmt::format("{} is in no pool; ask for one of a pool ({}), or add it to one", address.to_string(),
                               config_.pools.empty() ? "there is none" : names_of(all_of(config_)));
        if (!request_.pool.empty() && pool->name != request_.pool)
            return fmt::format("{} is of pool {}, and the Service asks for pool {}", address.to_string(), pool->name,
                               base::quoted(request_.pool));
        if (!pool->is_for(service_))
            return fmt::format("{} is of pool {}, which is not for this Service (its namespaces, service_selectors)",
                               address.to_string(), pool->name);
        if (pool->avoid_buggy_ips && confuses_old_hosts(address))
            return fmt::format("pool {} leaves out addresses that end in .0 or .255 (avoid_buggy_ips)", pool->name);
        return {};
    }

    // ---- addresses of the pools ----------------------------------------------------------------------------------

    /// One of each family that the Service has.
    void fill() {
        const auto pools = candidates();
        std::string missing;
        for (const api::Family family : service_.families) {
            if (has_one_of(family, pools))
                continue;
            if (const auto address = find(family, pools)) {
                std::erase_if(kept_, [&](const Address& old) { return api::family_of(old) == family; });
                kept_.push_back(*address);
            } else {
                note_missing(family, pools);
            }
        }
    }

    /// What it has is good, but for an address that is not of the pool which it asks for by name.
    bool has_one_of(api::Family family, const std::vector<const AddressPool*>& pools) const {
        return std::any_of(kept_.begin(), kept_.end(), [&](const Address& address) {
            const AddressPool* pool = config_.pool_of(address);
            return api::family_of(address) == family &&
                   (request_.pool.empty() || pool == nullptr || pools.empty() || pool->name == request_.pool);
        });
    }

    /// The pools that may give it an address, in their order.
    std::vector<const AddressPool*> candidates() const {
        std::vector<const AddressPool*> pools;
        for (const AddressPool& pool : config_.pools) {
            const bool asked = request_.pool.empty() ? pool.auto_assign : pool.name == request_.pool;
            const bool fits = request_.address_class.empty() || pool.address_class == request_.address_class;
            if (asked && fits && pool.is_for(service_))
                pools.push_back(&pool);
        }
        return pools;
    }

    std::optional<Address> find(api::Family family, const std::vector<const AddressPool*>& pools) const {
        const auto search = [&](const auto& look) -> std::optional<Address> {
            for (const AddressPool* pool : pools)
                for (const AddressRange& range : pool->ranges)
                    if (api::family_of(range.first) == family)
                        if (const auto address = look(*pool, range))
                            return address;
            return std::nullopt;
        };
        const auto shared = search([&](const AddressPool&, const AddressRange& range) {
            return ledger_.first_shared(range, use_, service_.name);
        });
        return shared ? shared : search([&](const AddressPool& pool, const AddressRange& range) {
            return ledger_.first_free(range, pool.avoid_buggy_ips);
        });
    }

    void note_missing(api::Family family, const std::vector<const AddressPool*>& pools) {
        if (pools.empty())
            return note_no_pool();
        const bool has_family =
            std::any_of(pools.begin(), pools.end(), [&](const AddressPool* pool) { return pool->has_family(family); });
        const std::string names = names_of(pools);
        const std::string words =
            has_family ? fmt::format(
                             "no {} address is free in pool {}; add addresses to it, or delete a Service that "
                             "has one; it is tried again when one is free",
                             word_of(family), names)
                       : fmt::format(
                             "pool {} has no {} addresses; add some, or change spec.ipFamilies or "
                             "spec.ipFamilyPolicy",
                             names, word_of(family));
        // Whoever only prefers both families has what it needs with one.
        const bool enough = service_.family_policy == api::FamilyPolicy::prefer_dual_stack && !kept_.empty();
        const bool first =
            service_.family_policy == api::FamilyPolicy::prefer_dual_stack && family != service_.families.back();
        if (enough || first)
            missing_.emplace_back(has_family ? AddressFate::pool_exhausted : AddressFate::wrong_family, words);
        else
            fail(has_family ? AddressFate::pool_exhausted : AddressFate::wrong_family, words);
    }

    void note_no_pool() {
        if (!request_.pool.empty() && config_.pool_named(request_.pool) == nullptr)
            return fail(AddressFate::unknown_pool,
                        fmt::format("there is no pool {}; there are: {}", base::quoted(request_.pool),
                                    config_.pools.empty() ? "none" : names_of(all_of(config_))));
        if (!request_.pool.empty())
            return fail(AddressFate::no_pool,
                        fmt::format("pool {} is not for this Service: see its namespaces, service_selectors and "
                                    "address_class",
                                    base::quoted(request_.pool)));
        fail(AddressFate::no_pool,
             config_.pools.empty()
                 ? "there are no pools; configure one"
                 : fmt::format("no pool gives this Service an address by itself{}: see auto_assign, namespaces and "
                               "service_selectors of the pools, or ask for one with the annotation "
                               "podferry.io/address-pool",
                               request_.address_class.empty()
                                   ? ""
                                   : fmt::format(", none of address_class {}", request_.address_class)));
    }

    // ---- the end -------------------------------------------------------------------------------------------------

    void fail(AddressFate fate, const std::string& message) {
        if (fate_ != AddressFate::allocated)
            return;  // the first thing that is wrong
        fate_ = fate;
        message_ = message;
    }

    bool refuse(AddressFate fate, const std::string& message) {
        fail(fate, message);
        return false;
    }

    /// The mode of a pool's address is the pool's; of any other it stays.
    api::BalancerIngress ingress_of(const Address& address) const {
        if (const AddressPool* pool = config_.pool_of(address))
            return {address, pool->ip_mode, {}};
        for (const api::BalancerIngress& ingress : service_.ingress)
            if (ingress.address == address)
                return {address, ingress.mode, {}};
        return {address, api::IpMode::vip, {}};
    }

    Assignment finish() {
        Assignment result;
        std::vector<std::string> outside;
        std::vector<std::string> given;
        const auto before = addresses_of(service_.ingress);
        for (const Address& address : kept_) {
            result.ingress.push_back(ingress_of(address));
            if (!has(before, address))
                result.added.push_back(address);
            const AddressPool* pool = config_.pool_of(address);
            if (pool == nullptr)
                outside.push_back(address.to_string());
            given.push_back(pool == nullptr ? address.to_string()
                                            : fmt::format("{} of pool {}", address.to_string(), pool->name));
        }
        if (fate_ == AddressFate::allocated && kept_.empty() && !missing_.empty())
            fail(missing_.front().first, missing_.front().second);
        if (kept_.empty() && !lost_.empty())
            fail(AddressFate::address_taken, lost_);
        result.lost = lost_;
        result.waits = fate_ != AddressFate::allocated || !missing_.empty();
        if (fate_ == AddressFate::allocated && !outside.empty())
            fail(AddressFate::outside_pools,
                 fmt::format("{} in no pool: the Service keeps what it has; add it to a pool, or take it out of "
                             "status.loadBalancer to get another one",
                             join(outside) + (outside.size() == 1 ? " is" : " are")));
        result.fate = fate_;
        result.message = message_;
        if (fate_ == AddressFate::allocated)
            result.message = join(given) + (missing_.empty() ? "" : "; " + missing_.front().second);
        else if (result.waits && !given.empty())
            result.message += "; it keeps " + join(given);
        return result;
    }

    const api::BalancedService& service_;
    const PoolConfig& config_;
    const AddressLedger& ledger_;
    AddressRequest request_;
    AddressUse use_;
    std::vector<Address> held_;                                 // by the status, or reserved
    std::vector<Address> kept_;                                 // what it is to have
    std::vector<std::pair<AddressFate, std::string>> missing_;  // what it can be without
    std::string lost_;
    AddressFate fate_ = AddressFate::allocated;
    std::string message_;
};

}  // namespace

std::string_view word(AddressFate fate) {
    return fates[static_cast<std::size_t>(fate)];
}

std::span<const std::string_view> address_fates() {
    return fates;
}

std::vector<Address> addresses_of(const std::vector<api::BalancerIngress>& ingress) {
    std::vector<Address> addresses;
    for (const api::BalancerIngress& one : ingress)
        if (one.address)
            addresses.push_back(*one.address);
    return addresses;
}

Assignment assign(const api::BalancedService& service, const std::vector<Address>& reserved, const PoolConfig& config,
                  const AddressLedger& ledger) {
    return Deal(service, config, ledger).make(reserved);
}

}  // namespace proxy
