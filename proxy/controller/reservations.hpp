// Addresses that the leader is about to write into statuses. They are written down in the Lease before: so whoever
// leads next knows of them, though it may not see yet what becomes of the former leader's last writes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/objects/types.hpp"

namespace proxy {

/// A write of these addresses into the status of the Service as it was in that version. As long as the Service has that
/// version, it may still arrive; the server refuses it for any other.
struct AddressReservation {
    api::ObjectName service;
    std::string uid;
    std::string version;
    std::vector<base::Address> addresses;
    bool operator==(const AddressReservation&) const = default;
};

/// The annotation of the Lease that has them.
inline constexpr std::string_view reservations_annotation = "podferry.io/address-reservations";

/// A JSON list; empty for none.
std::string to_text(const std::vector<AddressReservation>& reservations);

/// What to_text() has written; of a text that somebody else has changed, what can be read.
std::vector<AddressReservation> read_reservations(std::string_view text);

}  // namespace proxy
