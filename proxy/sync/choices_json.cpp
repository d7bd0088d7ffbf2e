// The remembered choices as JSON: {"shop/web": {"clusterIPs": ["10.96.7.1"], "nodePorts": {"80/tcp": 31000}}}.
#include <boost/json.hpp>

#include "base/error_words.hpp"
#include "proxy/plan/allocate.hpp"

namespace proxy {
namespace json = boost::json;

std::string to_json(const Choices& choices) {
    json::object root;
    for (const auto& [name, choice] : choices) {
        json::array addresses;
        for (const Address& address : choice.cluster_ips)
            addresses.emplace_back(address.to_string());
        json::object ports;
        for (const auto& [port, number] : choice.node_ports)
            ports[port] = number;
        root[api::to_string(name)] = {{"clusterIPs", addresses}, {"nodePorts", ports}};
    }
    return json::serialize(root);
}

tl::expected<Choices, std::string> choices_from_json(std::string_view text) {
    try {
        Choices choices;
        const json::value root = json::parse(json::string_view(text.data(), text.size()));
        for (const auto& [key, value] : root.as_object()) {
            const std::string name(key);
            const auto slash = name.find('/');
            if (slash == std::string::npos)
                return tl::unexpected("'" + name + "' is not NAMESPACE/NAME");
            Choice choice;
            for (const json::value& address : value.at("clusterIPs").as_array())
                choice.cluster_ips.push_back(base::make_address(std::string(address.as_string())));
            for (const auto& [port, number] : value.at("nodePorts").as_object())
                choice.node_ports[std::string(port)] = number.to_number<std::uint16_t>();
            choices[{name.substr(0, slash), name.substr(slash + 1)}] = std::move(choice);
        }
        return choices;
    } catch (const std::exception& error) {
        return tl::unexpected(base::words_of(error));
    }
}

}  // namespace proxy
