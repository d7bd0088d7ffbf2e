#include "proxy/edge/edge_view.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/plain_text.hpp"
#include "proxy/plan/words.hpp"
#include "proxy/serve/aligned.hpp"

namespace proxy {
namespace {

namespace json = boost::json;

json::value parse(std::string_view text) {
    return json::parse(json::string_view(text.data(), text.size()));
}

std::string text_of(const json::value& value) {
    return value.is_string() ? base::printable(value.as_string()) : json::serialize(value);
}

json::array texts(const std::vector<Address>& addresses) {
    json::array all;
    for (const Address& address : addresses)
        all.emplace_back(address.to_string());
    return all;
}

json::object to_value(const Backend& backend, const BackendFate& fate) {
    return {{"name", backend.name},
            {"addresses", texts(backend.addresses)},
            {"ports", json::array(backend.ports.begin(), backend.ports.end())},
            {"weight", backend.weight},
            {"state", std::string(word(fate.state))},
            {"reason", fate.reason},
            {"check", backend.check ? to_string(*backend.check) : ""}};
}

json::object to_value(const BalancedView& view) {
    const api::Service& service = view.balanced.service;
    json::array ports;
    for (const api::ServicePort& port : service.ports)
        ports.emplace_back(std::to_string(port.port) + "/" + std::string(word(port.protocol)));
    std::vector<Address> addresses;
    for (const api::Ingress& ingress : service.ingress)
        addresses.push_back(ingress.address);
    json::array backends;
    for (std::size_t i = 0; i < view.fates.size(); ++i)
        backends.push_back(to_value(view.balanced.backends[i], view.fates[i]));
    return {{"namespace", service.name.space}, {"name", service.name.name}, {"addresses", texts(addresses)},
            {"ports", std::move(ports)},       {"panics", view.panics},     {"backends", std::move(backends)}};
}

std::string joined(const json::value& list) {
    std::string text;
    for (const json::value& item : list.as_array())
        text += (text.empty() ? "" : ",") + text_of(item);
    return text;
}

bool gets_connections(const json::value& backend) {
    const std::string state = text_of(backend.at("state"));
    return state == word(BackendState::in) || state == word(BackendState::kept);
}

}  // namespace

std::string front_ends_json(const std::vector<BalancedView>& views, const std::string& waiting_for) {
    json::array all;
    for (const BalancedView& view : views)
        all.push_back(to_value(view));
    return base::printable_json(json::serialize(json::object{{"waitingFor", waiting_for}, {"frontEnds", all}}));
}

std::string front_ends_table(std::string_view text) {
    const json::value page = parse(text);
    std::vector<TableRow> rows = {{"FRONT END", "ADDRESSES", "PORTS", "BACKEND", "WEIGHT", "STATE", "WHY"}};
    for (const json::value& front_end : page.at("frontEnds").as_array()) {
        const std::string space = text_of(front_end.at("namespace"));
        TableRow head = {(space.empty() ? "" : space + "/") + text_of(front_end.at("name")),
                         joined(front_end.at("addresses")), joined(front_end.at("ports"))};
        const json::array& backends = front_end.at("backends").as_array();
        if (backends.empty())
            rows.push_back({head[0], head[1], head[2], "none", "", "", ""});
        for (const json::value& backend : backends) {
            rows.push_back({head[0], head[1], head[2], text_of(backend.at("name")), text_of(backend.at("weight")),
                            text_of(backend.at("state")), text_of(backend.at("reason"))});
            head = {"", "", ""};
        }
    }
    const std::string waiting_for = text_of(page.at("waitingFor"));
    return (waiting_for.empty() ? "" : "waiting for " + waiting_for + "\n") + aligned(rows);
}

bool lacks_backends(std::string_view text) {
    const json::value page = parse(text);
    const json::array& all = page.at("frontEnds").as_array();
    return !text_of(page.at("waitingFor")).empty() || std::any_of(all.begin(), all.end(), [](const json::value& one) {
        const json::array& backends = one.at("backends").as_array();
        return std::none_of(backends.begin(), backends.end(), gets_connections);
    });
}

}  // namespace proxy
