#include "proxy/controller/reservations.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/wire/field.hpp"

namespace proxy {

namespace json = boost::json;

std::string to_text(const std::vector<AddressReservation>& reservations) {
    if (reservations.empty())
        return {};
    json::array list;
    for (const AddressReservation& reservation : reservations) {
        json::array addresses;
        for (const base::Address& address : reservation.addresses)
            addresses.emplace_back(address.to_string());
        list.push_back(json::object{{"namespace", reservation.service.space},
                                    {"name", reservation.service.name},
                                    {"uid", reservation.uid},
                                    {"resourceVersion", reservation.version},
                                    {"addresses", std::move(addresses)}});
    }
    return json::serialize(list);
}

std::vector<AddressReservation> read_reservations(std::string_view text) {
    std::vector<AddressReservation> reservations;
    json::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error)
        return reservations;
    std::vector<api::Mistake> mistakes;
    const api::Field list(&value, mistakes);
    list.each([&](const api::Field& item) {
        AddressReservation reservation{
            {item["namespace"].text(), item["name"].text()}, item["uid"].text(), item["resourceVersion"].text(), {}};
        const api::Field addresses = item["addresses"];
        addresses.each([&](const api::Field& one) {
            if (const auto address = base::parse_address(one.text()))
                reservation.addresses.push_back(*address);
        });
        reservations.push_back(std::move(reservation));
    });
    return reservations;
}

}  // namespace proxy
