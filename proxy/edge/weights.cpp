#include "proxy/edge/weights.hpp"

#include <algorithm>

#include "base/numbers.hpp"

namespace proxy {

std::string print_weights(const Weights& weights) {
    std::string text;
    for (const auto& [real, weight] : weights) {
        if (!text.empty())
            text += ' ';
        text += netlink::endpoint_text(real.address, real.port);
        text += '=';
        text += std::to_string(weight);
    }
    return text;
}

Weights read_weights(std::string_view text) {
    Weights weights;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        const auto equals = word.rfind('=');
        const auto colon = word.rfind(':', equals);
        if (equals == std::string_view::npos || colon == std::string_view::npos)
            continue;
        std::string_view host = word.substr(0, colon);
        if (host.size() > 2 && host.front() == '[')
            host = host.substr(1, host.size() - 2);
        const auto address = base::parse_address(host);
        const auto port = base::parse_number<std::uint16_t>(word.substr(colon + 1, equals - colon - 1));
        const auto weight = base::parse_number<int>(word.substr(equals + 1));
        if (address && port && weight && *weight > 0 && *weight <= most_weight)
            weights[{*address, *port}] = *weight;
    }
    return weights;
}

}  // namespace proxy
