// What a Service asks of this node, judged once, for its budget and for its plan. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "proxy/plan/front_ends.hpp"
#include "proxy/plan/plan.hpp"

namespace proxy {

struct Request {
    Request() = default;
    Request(Request&&) = default;
    Request& operator=(Request&&) = default;

    std::vector<ExternalAddress> external;  ///< that it may have
    FrontEndWishes front_ends;              ///< these refer to the Service, the node's facts and `external`
    SourcesByFamily sources;
    std::vector<std::string> problems;  ///< "field: sentence"
};

/// `book`: addresses that others have. At most `most` front ends are listed. What external addresses are refused counts
/// nowhere. The Service and the node's facts must outlive the request.
Request request_of(const api::Service& service, const NodeFacts& node, const AddressBook& book, std::size_t most);

}  // namespace proxy
