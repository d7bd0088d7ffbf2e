#include "proxy/migrate/migrate.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>

#include "api/cluster/api_client.hpp"
#include "api/cluster/list_watch.hpp"
#include "base/go_duration.hpp"
#include "base/plain_text.hpp"
#include "base/rethrow.hpp"
#include "proxy/config/config.hpp"
#include "proxy/migrate/move_objects.hpp"
#include "proxy/sync/cluster.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto pause = 1s;         // between two looks at the cluster
constexpr auto page_size = "100";  // a Node is 10 to 40 kB
constexpr std::size_t most_pages = 1000;

void say(const std::string& line) {
    std::cout << base::printable(line) << "\n" << std::flush;
}

void complain(const std::string& line) {
    std::cerr << "podferry: " << base::printable(line) << "\n";
}

std::string path_of(const DaemonName& daemon) {
    return "/apis/apps/v1/namespaces/" + api::encode_query(daemon.space) + "/daemonsets/" +
           api::encode_query(daemon.name);
}

template <class Value>
using Answered = tl::expected<Value, std::string>;

/// What the cluster is asked for and told.
class Mover {
public:
    Mover(asio::io_context& context, api::Access access, const MigrateOptions& options)
        : client_(context, std::move(access), hooks_), options_(options) {}

    asio::awaitable<Answered<MoveView>> look();
    /// The error is why the API server did not do it.
    asio::awaitable<Answered<void>> label(const SetLabel& step);
    asio::awaitable<Answered<void>> except_served(const ExceptServed& step);

private:
    asio::awaitable<Answered<std::optional<ReadDaemonSet>>> find(const DaemonName& daemon);
    /// The state of its pods, by node.
    asio::awaitable<Answered<std::map<std::string, PodState>>> pods_of(const DaemonName& daemon,
                                                                       const std::string& selector);
    template <class Page>
    asio::awaitable<Answered<std::vector<Page>>> pages(std::string path,
                                                       Answered<ReadPage<Page>> (*read)(std::string_view));
    asio::awaitable<Answered<std::string>> ask(std::string method, std::string path, std::string body = {});

    api::ApiHooks hooks_;
    api::ApiClient client_;
    const MigrateOptions& options_;
    std::optional<ReadDaemonSet> kube_proxy_;
};

asio::awaitable<Answered<std::string>> Mover::ask(std::string method, std::string path, std::string body) {
    const std::string what = method + " " + path;
    const auto answer = co_await client_.request(std::move(method), std::move(path), std::move(body));
    if (!answer)
        co_return tl::unexpected(answer.error());
    if (!answer->fulfilled())
        co_return tl::unexpected(what + ": " + api::refusal_of(*answer));
    co_return answer->body;
}

asio::awaitable<Answered<std::optional<ReadDaemonSet>>> Mover::find(const DaemonName& daemon) {
    const auto answer = co_await client_.request("GET", path_of(daemon));
    if (!answer)
        co_return tl::unexpected(answer.error());
    if (answer->status == 404)
        co_return std::nullopt;
    if (!answer->fulfilled())
        co_return tl::unexpected("GET " + path_of(daemon) + ": " + api::refusal_of(*answer));
    auto read = read_daemon_set(answer->body);
    if (!read)
        co_return tl::unexpected("DaemonSet " + daemon.space + "/" + daemon.name + ": " + read.error());
    co_return std::move(*read);
}

template <class Item>
asio::awaitable<Answered<std::vector<Item>>> Mover::pages(std::string path,
                                                          Answered<ReadPage<Item>> (*read)(std::string_view)) {
    std::vector<Item> items;
    std::string next;
    for (std::size_t count = 0; count < most_pages; ++count) {
        const auto body = co_await ask("GET", path + (next.empty() ? "" : "&continue=" + api::encode_query(next)));
        if (!body)
            co_return tl::unexpected(body.error());
        auto page = read(*body);
        if (!page)
            co_return tl::unexpected(path + ": " + page.error());
        std::move(page->items.begin(), page->items.end(), std::back_inserter(items));
        next = page->next;
        if (next.empty())
            break;
    }
    co_return items;
}

asio::awaitable<Answered<std::map<std::string, PodState>>> Mover::pods_of(const DaemonName& daemon,
                                                                          const std::string& selector) {
    const auto pods =
        co_await pages<PodOnNode>("/api/v1/namespaces/" + api::encode_query(daemon.space) + "/pods?limit=" + page_size +
                                      "&labelSelector=" + api::encode_query(selector),
                                  read_pods);
    if (!pods)
        co_return tl::unexpected(pods.error());
    std::map<std::string, PodState> states;
    for (const PodOnNode& pod : *pods)
        states[pod.node] = std::max(states[pod.node], pod.state);
    co_return states;
}

asio::awaitable<Answered<MoveView>> Mover::look() {
    const auto podferry = co_await find(options_.podferry);
    if (!podferry)
        co_return tl::unexpected(podferry.error());
    auto kube_proxy = co_await find(options_.kube_proxy);
    if (!kube_proxy)
        co_return tl::unexpected(kube_proxy.error());
    auto nodes = co_await pages<MovingNode>(std::string("/api/v1/nodes?limit=") + page_size, read_nodes);
    if (!nodes)
        co_return tl::unexpected(nodes.error());
    MoveView view;
    view.nodes = std::move(*nodes);
    std::ranges::sort(view.nodes, {}, &MovingNode::name);
    if (*podferry) {
        view.podferry = (*podferry)->view;
        const auto pods = co_await pods_of(options_.podferry, (*podferry)->selector);
        if (!pods)
            co_return tl::unexpected(pods.error());
        for (MovingNode& node : view.nodes)
            if (const auto found = pods->find(node.name); found != pods->end())
                node.podferry = found->second;
    }
    if (*kube_proxy) {
        view.kube_proxy = (*kube_proxy)->view;
        const auto pods = co_await pods_of(options_.kube_proxy, (*kube_proxy)->selector);
        if (!pods)
            co_return tl::unexpected(pods.error());
        for (MovingNode& node : view.nodes)
            if (const auto found = pods->find(node.name); found != pods->end())
                node.kube_proxy = found->second;
    }
    kube_proxy_ = std::move(*kube_proxy);
    co_return view;
}

asio::awaitable<Answered<void>> Mover::label(const SetLabel& step) {
    const auto done = co_await ask("PATCH", "/api/v1/nodes/" + api::encode_query(step.node), label_patch(step));
    if (!done)
        co_return tl::unexpected(done.error());
    say("node " + step.node + ": label " + step.label + (step.set ? " is set" : " is removed"));
    co_return Answered<void>();
}

asio::awaitable<Answered<void>> Mover::except_served(const ExceptServed& step) {
    const auto done =
        co_await ask("PATCH", path_of(options_.kube_proxy), served_patch(kube_proxy_.value(), step.except));
    if (!done)
        co_return tl::unexpected(done.error());
    say(std::string("kube-proxy's DaemonSet ") +
        (step.except ? "leaves nodes with label " : "knows no more of label ") + served_label);
    co_return Answered<void>();
}

/// Repeats: look, then what next_step() says. A failure of the API is tried again.
class Move {
public:
    Move(asio::io_context& context, api::Access access, const MigrateOptions& options, Clock::duration patience)
        : context_(context), mover_(context, std::move(access), options), options_(options), patience_(patience) {}

    asio::awaitable<int> run() {
        for (;;) {
            auto view = co_await mover_.look();
            if (!view) {
                note(view.error());
            } else {
                auto step = next_step(*view, options_.move);
                if (const auto* refusal = std::get_if<Refuse>(&step)) {
                    complain(refusal->why);
                    co_return 2;
                }
                if (const auto* end = std::get_if<Moved>(&step))
                    co_return report(*end, view->nodes.size());
                co_await take(step);
            }
            if (Clock::now() - since_ > patience_) {
                give_up();
                co_return 1;
            }
            if (!waiting_for_.empty())
                co_await api::sleep_until(context_, Clock::now() + pause);
        }
    }

private:
    asio::awaitable<void> take(const MoveStep& step) {
        if (const auto* wait = std::get_if<WaitFor>(&step)) {
            note(wait->what);
            co_return;
        }
        Answered<void> done;
        if (const auto* label = std::get_if<SetLabel>(&step))
            done = co_await mover_.label(*label);
        else if (const auto* served = std::get_if<ExceptServed>(&step))
            done = co_await mover_.except_served(*served);
        note(done ? "" : done.error());
    }

    /// What keeps it from going on; empty: nothing.
    void note(const std::string& what) {
        if (what == waiting_for_)
            return;
        waiting_for_ = what;
        since_ = Clock::now();
        if (!what.empty())
            say("waiting: " + what);
    }

    void give_up() const {
        complain(
            "not within " + options_.timeout + ": " + waiting_for_ +
            ". Nothing else is changed; that node has had its service proxy all the time. See `kubectl describe` of "
            "its pods, then begin again; the way back: podferry migrate --back");
    }

    int report(const Moved& end, std::size_t nodes) const {
        for (const std::string& name : end.skipped)
            complain("node " + name + " is not Ready: nothing is changed there; begin again when it is");
        if (!end.skipped.empty())
            return 1;
        const bool over = options_.move.direction == Direction::to_podferry;
        const std::string which = options_.move.only.empty()
                                      ? "all " + std::to_string(nodes) + " nodes have"
                                      : std::to_string(options_.move.only.size()) + " nodes that were named have";
        say(which + (over ? " podferry alone. Remove what kube-proxy has left (docs/operations.md)"
                          : " kube-proxy alone. Remove what podferry has left: the chart's mode=cleanup"));
        return 0;
    }

    asio::io_context& context_;
    Mover mover_;
    const MigrateOptions& options_;
    Clock::duration patience_;
    std::string waiting_for_;
    Clock::time_point since_ = Clock::now();
};

/// The Service `kubernetes`: this is no proxy, and may go through one.
std::string server_of_the_pod() {
    const std::string host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    const bool is_v6 = host.find(':') != std::string::npos;
    return "https://" + (is_v6 ? "[" + host + "]" : host) + ":" + (port == nullptr ? "443" : port);
}

/// Where kubectl looks, outside of a pod; empty: nothing is there.
std::string kubeconfig_of_people() {
    if (std::getenv("KUBERNETES_SERVICE_HOST") != nullptr)
        return "";
    if (const char* named = std::getenv("KUBECONFIG"); named != nullptr && *named != '\0')
        return named;
    const char* home = std::getenv("HOME");
    const auto path = std::filesystem::path(home == nullptr ? "/root" : home) / ".kube/config";
    std::error_code error;
    return std::filesystem::exists(path, error) ? path.string() : "";
}

}  // namespace

int run_migrate(const MigrateOptions& options) {
    const auto patience = base::parse_go_duration(options.timeout);
    if (!patience || *patience <= 0s) {
        complain("--timeout " + options.timeout + ": write a duration, as 5m or 90s");
        return 2;
    }
    Config config = default_config();
    config.kubeconfig = options.kubeconfig.empty() ? kubeconfig_of_people() : options.kubeconfig;
    if (config.kubeconfig.empty() && std::getenv("KUBERNETES_SERVICE_HOST") == nullptr) {
        complain("give --kubeconfig FILE: there is no KUBECONFIG, no ~/.kube/config, and this is no pod of a cluster");
        return 2;
    }
    config.api_servers = options.api_servers;
    if (config.api_servers.empty() && config.kubeconfig.empty())
        config.api_servers = {server_of_the_pod()};
    auto access = access_of(config);
    if (!access) {
        complain(access.error());
        return 2;
    }
    asio::io_context context;
    Move move(context, std::move(*access), options, *patience);
    int status = 1;
    asio::co_spawn(context, move.run(), [&](const std::exception_ptr& error, int result) {
        base::rethrow(error);
        status = result;
        context.stop();
    });
    context.run();
    return status;
}

}  // namespace proxy
