#include "proxy/controller/pool_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/objects/names.hpp"
#include "api/wire/single_document.hpp"
#include "base/plain_text.hpp"
#include "base/spelling.hpp"

namespace proxy {
namespace {

using api::Field;

constexpr std::array<std::string_view, 4> root_keys = {"load_balancer_class", "services_without_class",
                                                       "default_address_class", "pools"};
constexpr std::array<std::string_view, 9> pool_keys = {
    "name",     "addresses", "auto_assign", "avoid_buggy_ips",  "address_class",
    "priority", "ip_mode",   "namespaces",  "service_selectors"};

/// A key that nobody knows is most often a known one with a slip: what it was to do would not be done.
void only(const Field& object, std::span<const std::string_view> known) {
    object.each_member([&](std::string_view key, const Field& member) {
        if (std::find(known.begin(), known.end(), key) == known.end())
            member.wrong("unknown" + base::did_you_mean(key, known));
    });
}

std::string read_address_class(const Field& field) {
    const std::string text = field.text();
    if (!text.empty() && text != "private" && text != "public")
        field.wrong(base::quoted(text) + " is not one of private, public");
    return text;
}

bool is_special(const AddressRange& range) {
    const auto bad = [](const base::Address& address) {
        return address.is_unspecified() || address.is_loopback() || address.is_multicast() || address.is_link_local();
    };
    return bad(range.first) || bad(range.last);
}

void read_ranges(const Field& list, AddressPool& pool) {
    if (list.size() == 0)
        list.wrong("missing; a pool needs at least one CIDR or range");
    if (list.size() > PoolConfig::most_ranges)
        list.wrong(fmt::format("{} are more than {} ranges; join them, or make another pool", list.size(),
                               PoolConfig::most_ranges));
    list.each([&](const Field& item) {
        const std::string text = item.text();
        const auto range = parse_address_range(text);
        if (!range)
            item.wrong(base::quoted(text) +
                       " is neither a CIDR (192.0.2.0/24) nor a range (192.0.2.10-192.0.2.20) nor an address");
        else if (is_special(*range))
            item.wrong(base::quoted(text) +
                       " has addresses that no Service can have (unspecified, loopback, "
                       "link-local or multicast)");
        else
            pool.ranges.push_back(*range);
    });
}

void read_requirement(const Field& item, LabelSelector& selector) {
    const Field key = item["key"];
    const Field values = item["values"];
    LabelSelector::Requirement requirement{key.text(), {}, {}};
    key.check(api::check_label_key(requirement.key));
    requirement.how =
        static_cast<LabelSelector::Operator>(item["operator"].one_of({"In", "NotIn", "Exists", "DoesNotExist"}));
    values.each([&](const Field& value) { requirement.values.push_back(value.text()); });
    const bool wants_values =
        requirement.how == LabelSelector::Operator::in || requirement.how == LabelSelector::Operator::not_in;
    if (wants_values == requirement.values.empty())
        values.wrong(wants_values ? "missing; In and NotIn need values" : "Exists and DoesNotExist have no values");
    selector.requirements.push_back(std::move(requirement));
}

LabelSelector read_selector(const Field& field) {
    static constexpr std::array<std::string_view, 2> keys = {"matchLabels", "matchExpressions"};
    LabelSelector selector;
    only(field, keys);
    const Field labels = field["matchLabels"];
    labels.each_member([&](std::string_view key, const Field& value) {
        value.check(api::check_label_key(key));
        selector.requirements.push_back({std::string(key), LabelSelector::Operator::in, {value.text()}});
    });
    const Field expressions = field["matchExpressions"];
    expressions.each([&](const Field& item) { read_requirement(item, selector); });
    return selector;
}

AddressPool read_pool(const Field& field) {
    only(field, pool_keys);
    AddressPool pool;
    const Field name = field["name"];
    pool.name = name.text();
    name.check(name.given() ? api::check_dns_subdomain(pool.name) : "missing; a pool needs a name");
    read_ranges(field["addresses"], pool);
    pool.auto_assign = field["auto_assign"].flag(true);
    pool.avoid_buggy_ips = field["avoid_buggy_ips"].flag(false);
    pool.address_class = read_address_class(field["address_class"]);
    pool.priority = static_cast<int>(field["priority"].integer(0, 1'000'000, 0));
    pool.ip_mode = static_cast<api::IpMode>(field["ip_mode"].one_of({"VIP", "Proxy"}));
    const Field namespaces = field["namespaces"];
    namespaces.each([&](const Field& item) {
        pool.namespaces.push_back(item.text());
        item.check(api::check_dns_label(pool.namespaces.back()));
    });
    const Field selectors = field["service_selectors"];
    selectors.each([&](const Field& item) { pool.service_selectors.push_back(read_selector(item)); });
    return pool;
}

/// The ranges of earlier pools, so that a later one can be told of them.
class Taken {
public:
    void add(const Field& field, const AddressPool& pool) {
        for (const AddressRange& range : pool.ranges) {
            const auto after = ranges_.upper_bound(range.last);
            const auto before = after == ranges_.begin() ? ranges_.end() : std::prev(after);
            if (before != ranges_.end() && overlap(before->second.first, range))
                field["addresses"].wrong(fmt::format("{} overlaps {} of pool {}; an address is in one pool only, once",
                                                     to_string(range), to_string(before->second.first),
                                                     before->second.second));
            else
                ranges_.emplace(range.first, std::pair(range, pool.name));
        }
    }

private:
    std::map<base::Address, std::pair<AddressRange, std::string>> ranges_;  // by the first address; none overlap
};

void read_pools(const Field& list, PoolConfig& config) {
    if (list.size() > PoolConfig::most_pools) {
        list.wrong(fmt::format("{} are more than {} pools", list.size(), PoolConfig::most_pools));
        return;
    }
    Taken taken;
    list.each([&](const Field& item) {
        AddressPool pool = read_pool(item);
        if (!pool.name.empty() && config.pool_named(pool.name) != nullptr)
            item["name"].wrong(base::quoted(pool.name) + " is the name of an earlier pool too");
        taken.add(item, pool);
        config.pools.push_back(std::move(pool));
    });
}

}  // namespace

const AddressPool* PoolConfig::pool_of(const base::Address& address) const {
    const auto pool =
        std::find_if(pools.begin(), pools.end(), [&](const AddressPool& one) { return one.contains(address); });
    return pool == pools.end() ? nullptr : &*pool;
}

const AddressPool* PoolConfig::pool_named(std::string_view name) const {
    const auto pool =
        std::find_if(pools.begin(), pools.end(), [&](const AddressPool& one) { return one.name == name; });
    return pool == pools.end() ? nullptr : &*pool;
}

tl::expected<PoolConfig, std::string> read_pool_config(std::string_view yaml, const std::string& file) {
    const auto document = api::parse_single_document(yaml, file);
    if (!document)
        return tl::unexpected(document.error());
    std::vector<api::Mistake> mistakes = document->mistakes;
    const Field root(&document->value, mistakes);
    only(root, root_keys);
    PoolConfig config;
    const Field balancer_class = root["load_balancer_class"];
    config.load_balancer_class = balancer_class.text(config.load_balancer_class);
    balancer_class.check(api::check_label_key(config.load_balancer_class));
    config.services_without_class = root["services_without_class"].flag(false);
    config.default_address_class = read_address_class(root["default_address_class"]);
    read_pools(root["pools"], config);
    if (!mistakes.empty())
        return tl::unexpected(api::describe(mistakes, *document, file));
    std::sort(config.pools.begin(), config.pools.end(), comes_before);
    return config;
}

}  // namespace proxy
