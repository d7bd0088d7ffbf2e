#include "proxy/controller/address_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <span>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

// Ours first, then MetalLB's present and former names, then kube-vip's.
constexpr std::string_view ips_keys[] = {"podferry.io/load-balancer-ips", "metallb.io/loadBalancerIPs",
                                         "metallb.universe.tf/loadBalancerIPs", "kube-vip.io/loadbalancerIPs"};
constexpr std::string_view pool_keys[] = {"podferry.io/address-pool", "metallb.io/address-pool",
                                          "metallb.universe.tf/address-pool"};
constexpr std::string_view sharing_keys[] = {"podferry.io/allow-shared-ip", "metallb.io/allow-shared-ip",
                                             "metallb.universe.tf/allow-shared-ip"};
constexpr std::string_view class_keys[] = {"podferry.io/address-class"};
constexpr std::size_t longest_list = 1024;  // bytes

/// A field that asks for something, and what it says.
struct Said {
    std::string field;
    std::string value;
};

/// Those of the keys that the Service has.
std::vector<Said> said_by(const api::BalancedService& service, std::span<const std::string_view> keys) {
    std::vector<Said> said;
    for (const std::string_view key : keys)
        if (const auto annotation = service.annotations.find(std::string(key)); annotation != service.annotations.end())
            said.push_back(
                {fmt::format("metadata.annotations[\"{}\"]", key), boost::algorithm::trim_copy(annotation->second)});
    return said;
}

std::string contradiction(const Said& one, const Said& other) {
    return fmt::format("{} is {} and {} is {}: they contradict each other; take one of them away", one.field,
                       base::quoted(one.value), other.field, base::quoted(other.value));
}

/// The one text that all of them say; a contradiction is a mistake.
std::string one_text(const std::vector<Said>& said, std::string& mistake) {
    for (const Said& other : said)
        if (other.value != said.front().value && mistake.empty())
            mistake = contradiction(said.front(), other);
    return said.empty() ? std::string() : said.front().value;
}

std::vector<base::Address> read_addresses_of(const Said& said, std::string& mistake) {
    std::vector<std::string> words;
    boost::algorithm::split(words, said.value.substr(0, longest_list), [](char c) { return c == ','; });
    std::vector<base::Address> addresses;
    for (std::string& word : words) {
        boost::algorithm::trim(word);
        const auto address = base::parse_address(word);
        if (!address && mistake.empty())
            mistake = fmt::format("{}: {} is not an IP address; several are separated by commas", said.field,
                                  base::quoted(word));
        else if (address && address->is_unspecified() && mistake.empty())
            mistake = fmt::format(
                "{}: {} asks for an address by DHCP, which podferry does not do; name an address, or "
                "take the field away to get one of a pool",
                said.field, word);
        else if (address && std::find(addresses.begin(), addresses.end(), *address) == addresses.end())
            addresses.push_back(*address);
    }
    if (mistake.empty() && (addresses.size() > AddressRequest::most_addresses || said.value.size() > longest_list))
        mistake = fmt::format("{}: more than {} addresses", said.field, AddressRequest::most_addresses);
    return addresses;
}

/// Fields that name the same addresses in another order say the same.
void read_ips(const api::BalancedService& service, AddressRequest& request) {
    std::vector<Said> said = said_by(service, ips_keys);
    if (!service.wanted_ip.empty())
        said.push_back({"spec.loadBalancerIP", service.wanted_ip});
    std::erase_if(said, [](const Said& one) { return one.value.empty(); });
    for (const Said& one : said) {
        const auto addresses = read_addresses_of(one, request.mistake);
        if (&one == said.data())
            request.addresses = addresses;
        else if (request.mistake.empty() && !std::is_permutation(addresses.begin(), addresses.end(),
                                                                 request.addresses.begin(), request.addresses.end()))
            request.mistake = contradiction(said.front(), one);
    }
}

}  // namespace

AddressRequest request_of(const api::BalancedService& service, const PoolConfig& config) {
    AddressRequest request;
    read_ips(service, request);
    request.pool = one_text(said_by(service, pool_keys), request.mistake);
    request.sharing_key = one_text(said_by(service, sharing_keys), request.mistake);
    const auto classes = said_by(service, class_keys);
    if (!classes.empty())
        request.address_class = classes.front().value;
    else if (request.pool.empty())  // who names a pool has chosen
        request.address_class = config.default_address_class;
    if (const std::string& given = request.address_class; !given.empty() && given != "private" && given != "public")
        request.mistake =
            fmt::format("{}: {} is not one of private, public", classes.front().field, base::quoted(given));
    if (!request.mistake.empty())
        request.addresses.clear();
    return request;
}

bool is_ours(const api::BalancedService& service, const PoolConfig& config) {
    if (!service.is_balancer)
        return false;
    if (!service.balancer_class.empty())
        return service.balancer_class == config.load_balancer_class;
    return config.services_without_class &&
           std::none_of(service.ingress.begin(), service.ingress.end(),
                        [](const api::BalancerIngress& ingress) { return !ingress.hostname.empty(); });
}

}  // namespace proxy
