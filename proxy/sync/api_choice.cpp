#include "proxy/sync/api_choice.hpp"

#include <algorithm>

#include "api/cluster/server_url.hpp"

namespace proxy {
namespace {

bool is_virtual(const std::string& server, const VirtualAddresses& never) {
    const auto url = api::parse_server_url(server);
    if (!url)
        return false;
    if (url->host == never.kubernetes)
        return true;
    const auto address = base::parse_address(url->host);
    return address && std::any_of(never.ranges.begin(), never.ranges.end(),
                                  [&](const base::Prefix& range) { return contains(range, *address); });
}

}  // namespace

tl::expected<ApiChoice, std::string> choose_api(const std::vector<ApiCandidate>& candidates,
                                                const VirtualAddresses& never) {
    std::string lacked;
    const auto pass_over = [&](const std::string& place, const std::string& why) {
        lacked += (lacked.empty() ? "" : "; ") + place + ": " + why;
    };
    for (const ApiCandidate& candidate : candidates) {
        ApiChoice choice;
        for (const std::string& server : candidate.servers)
            if (is_virtual(server, never))
                pass_over(candidate.place, server + " is a ClusterIP, which podferry has yet to program");
            else
                choice.servers.push_back(server);
        if (!choice.servers.empty()) {
            choice.why = candidate.place + (lacked.empty() ? "" : "; before it, " + lacked);
            return choice;
        }
        if (candidate.servers.empty())
            pass_over(candidate.place, candidate.problem);
    }
    return tl::unexpected(
        "no API server is known, and the ClusterIP of Service kubernetes cannot be asked, which podferry itself has "
        "yet "
        "to program: give setting api_servers (https://HOST:PORT; in the chart, k8sServiceHost). Looked at: " +
        lacked);
}

}  // namespace proxy
