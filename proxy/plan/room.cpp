#include "proxy/plan/room.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace proxy {

std::uint64_t Room::want(const api::ObjectName& service, const Age& age, std::uint64_t amount) {
    const auto before = border();
    if (const auto known = wishes_.find(service); known != wishes_.end()) {
        remove(known->second);
        wishes_.erase(known);
    }
    if (amount > 0)
        wishes_.emplace(service, put_in(seniority(service, age), amount));
    settle();
    const auto after = border();
    if (before != after)
        for (const auto& name : {before.first, after.first})
            if (name)
                changed_.insert(*name);
    changed_.erase(service);
    return given(service);
}

std::pair<std::optional<api::ObjectName>, std::uint64_t> Room::border() const {
    if (first_short_ == places_.end())
        return {std::nullopt, 0};
    return {std::get<api::ObjectName>(first_short_->first), size_ - used_};
}

bool Room::is_before_border(const Seniority& place) const {
    return first_short_ == places_.end() || place < first_short_->first;
}

void Room::remove(Places::iterator place) {
    if (place == first_short_)
        ++first_short_;
    else if (is_before_border(place->first))
        used_ -= place->second;
    places_.erase(place);
}

Room::Places::iterator Room::put_in(const Seniority& place, std::uint64_t amount) {
    const bool counts = is_before_border(place);
    const auto added = places_.emplace(place, amount).first;
    if (counts)
        used_ += amount;
    return added;
}

/// Moves the border to where it belongs: whom it passes has another share.
void Room::settle() {
    while (used_ > size_) {
        --first_short_;
        used_ -= first_short_->second;
        changed_.insert(std::get<api::ObjectName>(first_short_->first));
    }
    while (first_short_ != places_.end() && used_ + first_short_->second <= size_) {
        changed_.insert(std::get<api::ObjectName>(first_short_->first));
        used_ += first_short_->second;
        ++first_short_;
    }
}

std::uint64_t Room::given(const api::ObjectName& service) const {
    const auto found = wishes_.find(service);
    if (found == wishes_.end())
        return 0;
    if (is_before_border(found->second->first))
        return found->second->second;
    return found->second == first_short_ ? size_ - used_ : 0;
}

std::set<api::ObjectName> Room::exchange_changed() {
    return std::exchange(changed_, {});
}

NodeRoom::NodeRoom(const Cost& size)
    : first_front_ends_{size.front_ends - size.front_ends / 4,
                        [](const Cost& cost) { return std::min(cost.front_ends, ordinary.front_ends); },
                        0,
                        {}},
      further_front_ends_{
          size.front_ends / 4,
          [](const Cost& cost) { return cost.front_ends - std::min(cost.front_ends, ordinary.front_ends); },
          0,
          {}},
      first_real_servers_{size.real_servers - size.real_servers / 4,
                          [](const Cost& cost) { return std::min(cost.real_servers, ordinary.real_servers); },
                          0,
                          {}},
      further_real_servers_{
          size.real_servers / 4,
          [](const Cost& cost) { return cost.real_servers - std::min(cost.real_servers, ordinary.real_servers); },
          0,
          {}} {}

/// While everybody has what he wants, only the total is known.
std::uint64_t NodeRoom::want(Share& share, const api::ObjectName& service, const Wish& former, const Wish& wish) {
    const std::uint64_t amount = share.of(wish.cost);
    share.total = share.total - share.of(former.cost) + amount;
    if (!share.crowded && share.total <= share.size)
        return amount;
    if (!share.crowded) {
        share.crowded.emplace(share.size);
        for (const auto& [name, each] : wishes_)
            if (name != service)
                share.crowded->want(name, each.age, share.of(each.cost));
    }
    const std::uint64_t given = share.crowded->want(service, wish.age, amount);
    changed_.merge(share.crowded->exchange_changed());
    if (share.total <= share.size)
        share.crowded.reset();
    return given;
}

Cost NodeRoom::want(const api::ObjectName& service, const Age& age, const Cost& cost) {
    const auto known = wishes_.find(service);
    const Wish former = known == wishes_.end() ? Wish{age, {}} : known->second;
    if (known != wishes_.end() && former.cost == cost && former.age.created == age.created &&
        !first_front_ends_.crowded && !further_front_ends_.crowded && !first_real_servers_.crowded &&
        !further_real_servers_.crowded)
        return cost;
    const Wish wish{{age.created, former.age.round}, cost};
    const auto both = [&](Share& first, Share& further) {
        const std::uint64_t some = want(first, service, former, wish);
        const std::uint64_t more = want(further, service, former, wish);
        return some < first.of(cost) ? some : some + more;
    };
    const Cost given{both(first_front_ends_, further_front_ends_), both(first_real_servers_, further_real_servers_)};
    if (cost == Cost{})
        wishes_.erase(service);
    else
        wishes_[service] = wish;
    changed_.erase(service);
    return given;
}

std::set<api::ObjectName> NodeRoom::exchange_changed() {
    return std::exchange(changed_, {});
}

}  // namespace proxy
