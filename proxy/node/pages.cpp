#include "proxy/node/pages.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/error_words.hpp"
#include "proxy/engine/service_view.hpp"
#include "proxy/engine/turns.hpp"
#include "proxy/serve/admin.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using Clock = std::chrono::steady_clock;
using WallClock = std::chrono::system_clock;

constexpr const char* plain_text = "text/plain; charset=utf-8";

/// It has the zone that a link-local address has.
asio::ip::tcp::endpoint endpoint_of(const Listen& where) {
    return {asio::ip::make_address(where.address.to_string() + where.zone), where.port};
}

Reply counted(prometheus::Family<prometheus::Counter>& answers, Reply reply) {
    answers.Add({{"code", std::to_string(reply.status)}}).Increment();
    return reply;
}

}  // namespace

/// The lock has made sure that a socket that is there is left over from a podferry that was killed.
stream_protocol::acceptor listen_on_socket(asio::io_context& context, const std::string& path) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    ::unlink(path.c_str());
    try {
        stream_protocol::acceptor acceptor(context, stream_protocol::endpoint(path));
        ::chmod(path.c_str(), 0600);
        return acceptor;
    } catch (const std::exception& error) {
        throw std::runtime_error("socket " + path + " cannot be listened on: " + base::words_of(error));
    }
}

NodePages::NodePages(NodeParts& node, Pages more) : node_(node) {
    // These are on the socket alone, which is root's.
    for_operators_ = {{"/status",
                       [this] {
                           return Reply{200, "application/json",
                                        to_json(status_of(node_.state(), Clock::now(), WallClock::now()))};
                       }},
                      {"/readyz", [this] { return readyz_page(); }},
                      {"/livez", [this] { return livez_reply(node_.health(), Clock::now(), WallClock::now()); }},
                      {"/services", [this] { return services_page(); }},
                      {"/metrics", [this] { return metrics_page(); }}};
    for_operators_.merge(more);
    // Numbers, and kube-proxy's pages (cmd/kube-proxy/app/server.go). Nothing that names a Service or a pod: whoever
    // reaches the port may read them.
    for_metrics_ = {{"/metrics", [this] { return metrics_page(); }},
                    {"/proxyMode", [] { return Reply{200, plain_text, "ipvs"}; }},
                    {"/healthz", [] { return Reply{200, plain_text, "ok"}; }}};
    for_health_ = {{"/healthz",
                    [this] {
                        return counted(node_.metrics.healthz_answers,
                                       healthz_reply(node_.health(), Clock::now(), WallClock::now()));
                    }},
                   {"/livez",
                    [this] {
                        return counted(node_.metrics.livez_answers,
                                       livez_reply(node_.health(), Clock::now(), WallClock::now()));
                    }},
                   {"/readyz", [this] { return readyz_page(); }}};
}

Reply NodePages::readyz_page() {
    return readyz_reply(node_.health(), node_.is_ready(), node_.waiting_for(), WallClock::now());
}

Reply NodePages::metrics_page() {
    set_gauges(node_.metrics, node_.state(), Clock::now(), WallClock::now());
    return {200, "text/plain; version=0.0.4; charset=utf-8", node_.metrics.text()};
}

asio::awaitable<Reply> NodePages::services_page() {
    const Engine& engine = node_.engine;
    ServicesPage page(engine.store().services(), engine.views(node_.kernel_side.reconciler().mirror()),
                      node_.waiting_for());
    while (page.next(turns::page_slice))
        co_await asio::post(node_.context, asio::use_awaitable);
    co_return Reply{200, "application/json", page.text()};
}

/// A busy port does not keep connections from being carried, unless the configuration wants it so.
void NodePages::serve_tcp(const std::vector<Listen>& addresses, const Pages& pages, Setting setting) {
    for (const Listen& where : addresses) {
        const std::string what = std::string(setting.name) + " " + netlink::endpoint_text(where.address, where.port);
        std::unique_ptr<Listener>& listener = listeners_.emplace_back();
        const auto tell = [this, what, setting, port = where.port, &listener] {
            node_.host_watch.other_proxies().note_port(port, !listener->problem().empty());
            tell_problem(setting, what, listener->problem());
        };
        listener =
            std::make_unique<Listener>(node_.context.get_executor(), endpoint_of(where), handler_of(pages), tell);
        if (!listener->problem().empty())
            tell();
    }
}

void NodePages::tell_problem(Setting setting, const std::string& what, const std::string& problem) {
    if (!problem.empty() && node_.config.bind_address_hard_fail)
        throw std::runtime_error(what + " cannot be listened on: " + problem + " (bind_address_hard_fail is true)");
    node_.announcer.tell_listener(
        setting.name, setting.reason,
        problem.empty() ? "" : what + " cannot be listened on: " + problem + "; retrying every 5 s");
    node_.log_problems();
}

void NodePages::serve(stream_protocol::acceptor socket) {
    serve_tcp(node_.config.metrics_bind_address, for_metrics_, {"metrics_bind_address", "FailedToStartMetricServer"});
    serve_tcp(node_.config.healthz_bind_address, for_health_,
              {"healthz_bind_address", "FailedToStartProxierHealthcheck"});
    spawn(node_.context,
          proxy::serve(std::make_shared<stream_protocol::acceptor>(std::move(socket)), handler_of(for_operators_)));
}

}  // namespace proxy
