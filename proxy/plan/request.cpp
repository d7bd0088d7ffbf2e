#include "proxy/plan/request.hpp"

namespace proxy {

Request request_of(const api::Service& service, const NodeFacts& node, const AddressBook& book, std::size_t most) {
    Request request;
    request.external = external_addresses(service, {node.claims, node.own_addresses, book}, request.problems);
    request.front_ends = front_ends_of(service, request.external, node, most);
    if (!service.source_ranges.empty() && !service.ingress.empty())
        request.sources = sources_of(service, node.own_addresses);
    return request;
}

}  // namespace proxy
