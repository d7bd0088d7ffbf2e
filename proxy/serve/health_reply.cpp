#include "proxy/serve/health_reply.hpp"

#include <fmt/format.h>

#include <string>

namespace proxy {

Reply health_reply(const HealthPort& port, bool proxy_healthy) {
    Reply reply;
    reply.status = port.local_endpoints > 0 && proxy_healthy ? 200 : 503;
    reply.content_type = "application/json";
    reply.headers = {{"X-Load-Balancing-Endpoint-Weight", std::to_string(port.local_endpoints)}};
    reply.body = fmt::format(
        "{{\n\t\"service\": {{\n\t\t\"namespace\": \"{}\",\n\t\t\"name\": \"{}\"\n\t}},\n"
        "\t\"localEndpoints\": {},\n\t\"serviceProxyHealthy\": {}\n}}",
        port.service.space, port.service.name, port.local_endpoints, proxy_healthy);
    return reply;
}

}  // namespace proxy
