#include "api/cluster/reflector.hpp"

#include <algorithm>
#include <utility>

namespace api {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto list_silence = 60s;
constexpr auto shortest_watch = 1s;  // one that delivers and ends at once is asked for no oftener
constexpr auto list_limit = 10min;   // a server that sends a byte from time to time holds us up no longer
constexpr std::size_t longest_list = std::size_t{1024} * 1024 * 1024;  // unpacked: half of what etcd holds by default
constexpr std::size_t longest_refusal = std::size_t{64} * 1024;

Ending ending_of(int code, const WireStatus& status) {
    if (status.version_too_large)
        return Ending::too_large;
    switch (code) {
        case 410:
            return Ending::expired;
        case 400:
        case 422:
            return Ending::unsupported;
        case 401:
            return Ending::unauthorized;
        case 429:
            return Ending::busy;
        default:
            return code >= 500 ? Ending::busy : Ending::refused;
    }
}

std::string reason_of(int code, const WireStatus& status) {
    return std::to_string(code) + (status.message.empty() ? "" : " " + status.message);
}

const char* verb_of(ListWatch::Call call) {
    return call == ListWatch::Call::list ? "LIST" : "WATCH";
}

}  // namespace

Reflector::Reflector(ApiClient& client, Resource resource, WatchTiming timing, Sink sink, Reading reading)
    : client_(client),
      list_watch_(std::move(resource)),
      timing_(timing),
      sink_(std::move(sink)),
      reading_(reading),
      heard_(Clock::now()),
      proof_(client.context()) {}

std::chrono::duration<double> Reflector::stale(Time now) const {
    return now - heard_;
}

asio::awaitable<void> Reflector::run() {
    for (;;)
        co_await attempt();
}

asio::awaitable<void> Reflector::attempt() {
    if (link_) {
        co_await client_.renew(*link_);
    } else {
        auto link = co_await client_.connect(breaks_.setback);
        if (!link) {
            client_.count(verb_of(list_watch_.next(0).call), std::nullopt);
            sink_.health(link.error());
            co_return;
        }
        link_ = std::move(*link);
    }
    auto result = co_await perform();
    if (result)
        co_await recover(std::move(*result));
    if (link_ && !link_->connection->reusable())
        link_.reset();
}

asio::awaitable<std::optional<Reflector::Result>> Reflector::perform() {
    const ListWatch::Request request = list_watch_.next(client_.jitter());
    HttpRequest http;
    http.target = request.target;
    http.bearer_token = link_->bearer_token;
    http.accept = request.call == ListWatch::Call::list ? list_format_of(resource().kind, reading_) : other_format;
    const auto head = co_await link_->connection->send(http);
    client_.count(verb_of(request.call), head ? std::optional(head->status) : std::nullopt);
    if (!head)
        co_return Result{Ending::unreachable, client_.name(link_->server) + ": " + head.error()};
    heard_ = Clock::now();
    if (head->status != 200)
        co_return co_await read_refusal(*head);
    if (request.call == ListWatch::Call::list)
        co_return co_await read_list();
    co_return co_await read_events();
}

asio::awaitable<std::optional<Reflector::Result>> Reflector::read_list() {
    ListReader reader(resource().kind, [this](WireObject object) { pages_.push_back(std::move(object)); }, reading_);
    const Time began = Clock::now();
    std::size_t size = 0;
    for (;;) {
        const auto bytes = co_await link_->connection->read(list_silence);
        if (!bytes)
            co_return Result{Ending::unreachable, client_.name(link_->server) + ": " + bytes.error()};
        heard_ = Clock::now();
        if (bytes->empty())
            break;
        size += bytes->size();
        if (size > longest_list)
            co_return Result{Ending::broken, client_.name(link_->server) + ": the list is longer than 1 GiB"};
        if (heard_ - began > list_limit)
            co_return Result{Ending::unreachable, client_.name(link_->server) + ": the list takes over 10 minutes"};
        reader.feed(*bytes);
    }
    const ListReader::End end = reader.finish();
    if (!end.problem.empty())
        co_return Result{Ending::broken, end.problem};
    client_.succeeded(*link_);
    list_watch_.page(end.version, end.continue_token);
    if (end.continue_token.empty())
        deliver_list();
    co_return std::nullopt;
}

asio::awaitable<std::optional<Reflector::Result>> Reflector::read_events() {
    begin_watch();
    Result result = co_await read_events_to_their_end();
    proof_.cancel();
    if (result.ending == Ending::closed && !proven_)
        result = {Ending::unreachable, client_.name(link_->server) + ": the watch ended as soon as it began"};
    co_return result;
}

/// It does not say yet that all is well after failures: the watch has to prove itself first.
void Reflector::begin_watch() {
    proven_ = false;
    watch_began_ = Clock::now();
    if (!streak_.lasts() && breaks_.count == 0)
        sink_.health({});
    proof_.expires_after(timing_.proven_after);
    proof_.async_wait([this](const boost::system::error_code& cancelled) {
        if (cancelled || !link_)
            return;
        streak_.proven();
        prove();
    });
}

/// The watch was worth something: breaks are counted anew. What makes us list anew is forgiven by time alone, for a
/// list costs more than a change is worth.
void Reflector::prove() {
    client_.succeeded(*link_);
    breaks_.count = 0;
    if (!std::exchange(proven_, true))
        sink_.health({});
}

asio::awaitable<Reflector::Result> Reflector::read_events_to_their_end() {
    std::vector<WatchEvent> batch;
    std::optional<Result> end;
    EventReader reader(
        [&](WatchEvent event) {
            if (event.type == EventType::error)
                end = Result{ending_of(event.status.code, event.status),
                             client_.name(link_->server) + ": " + reason_of(event.status.code, event.status),
                             {},
                             event.status.code};
            if (end)
                return;
            client_.succeeded(*link_);
            const bool is_bookmark = event.type == EventType::bookmark;
            bookmarks_ = bookmarks_ || is_bookmark;
            if (list_watch_.seen(event.object.version) && !is_bookmark)
                prove();
            if (!is_bookmark)
                batch.push_back(std::move(event));
        },
        reading_);
    while (!end) {
        const auto silence = bookmarks_ ? timing_.bookmark_silence : timing_.watch_silence;
        const auto bytes = co_await link_->connection->read(silence);
        if (!bytes && Clock::now() - heard_ >= silence)
            co_return Result{Ending::silent, client_.name(link_->server) + ": nothing comes on the watch any more"};
        if (!bytes)
            co_return Result{Ending::unreachable, client_.name(link_->server) + ": " + bytes.error()};
        heard_ = Clock::now();
        if (bytes->empty())
            break;
        const std::string problem = reader.feed(*bytes);
        if (!batch.empty())
            sink_.events(std::exchange(batch, {}));
        if (!problem.empty())
            co_return Result{Ending::broken, problem};
    }
    co_return end.value_or(Result{Ending::closed, {}});
}

/// When all resources fail, the pool's pauses do, and end for all when one comes back. Where the server has worked for
/// others since this one last broke, nobody but this one is to wait.
void Reflector::note_break() {
    const Time now = Clock::now();
    if (++breaks_.count > 1 && client_.worked_since(*link_, breaks_.last))
        breaks_.setback = {link_->server, now + pause_after(breaks_.count, client_.jitter(), timing_.pauses)};
    breaks_.last = now;
}

void Reflector::deliver_list() {
    if (listed_once_ && client_.hooks().relisted)
        client_.hooks().relisted(resource().name);
    listed_once_ = true;
    sink_.list(std::exchange(pages_, {}));
}

asio::awaitable<Reflector::Result> Reflector::read_refusal(HttpHead head) {
    std::string text;
    for (;;) {
        const auto bytes = co_await link_->connection->read(list_silence);
        if (!bytes || bytes->empty() || text.size() > longest_refusal)
            break;
        text += *bytes;
    }
    const WireStatus status = read_status(text);
    const int code = static_cast<int>(head.status);
    co_return Result{ending_of(code, status), client_.name(link_->server) + ": " + reason_of(code, status),
                     head.retry_after.value_or(0s), code};
}

void Reflector::tell(const Result& result, ListWatch::Call call) {
    sink_.health(trouble_of(resource(), call, result.ending, result.code, result.reason));
}

asio::awaitable<void> Reflector::recover(Result result) {
    const auto call = list_watch_.watching() ? ListWatch::Call::watch : ListWatch::Call::list;
    if (list_watch_.watching() && client_.hooks().watch_restarted)
        client_.hooks().watch_restarted(resource().name, word(result.ending));
    list_watch_.ended(result.ending);
    pages_.clear();
    switch (result.ending) {
        case Ending::closed:
            co_await sleep_until(client_.context(), watch_began_ + shortest_watch);
            co_return;
        case Ending::unreachable:
        case Ending::busy:
            client_.failed(*link_, result.retry_after);
            note_break();
            tell(result, call);
            link_.reset();
            co_return;
        case Ending::unauthorized:
            client_.refused_credentials(link_->bearer_token);
            link_.reset();  // a certificate is of the connection
            break;
        case Ending::expired:
        case Ending::silent:
        case Ending::too_large:
        case Ending::unsupported:
        case Ending::refused:
        case Ending::broken:
            break;
    }
    const auto pause = streak_.failed(ListWatch::asks_another_way_after(result.ending), client_.jitter());
    if (pause == 0ms)
        co_return;
    tell(result, call);
    co_await sleep_until(client_.context(), Clock::now() + pause);
}

}  // namespace api
