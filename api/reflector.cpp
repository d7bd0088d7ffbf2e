#include "api/reflector.hpp"

#include <algorithm>

#include "api/backoff.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto list_silence = 60s;
constexpr auto very_short = 1s;  // a watch that ends so soon, without an event, is a failure
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

Reflector::Reflector(ApiClient& client, Resource resource, WatchTiming timing, Sink sink)
    : client_(client),
      list_watch_(std::move(resource)),
      timing_(timing),
      sink_(std::move(sink)),
      heard_(Clock::now()) {}

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
        auto link = co_await client_.connect(setback_);
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
    http.accept = request.call == ListWatch::Call::list ? list_format : other_format;
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
    ListReader reader(resource().kind, [this](WireObject object) { pages_.push_back(std::move(object)); });
    for (;;) {
        const auto bytes = co_await link_->connection->read(list_silence);
        if (!bytes)
            co_return Result{Ending::unreachable, client_.name(link_->server) + ": " + bytes.error()};
        heard_ = Clock::now();
        if (bytes->empty())
            break;
        reader.feed(*bytes);
    }
    const ListReader::End end = reader.finish();
    if (!end.problem.empty())
        co_return Result{Ending::broken, end.problem};
    works();
    list_watch_.page(end.version, end.continue_token);
    if (end.continue_token.empty())
        deliver_list();
    co_return std::nullopt;
}

asio::awaitable<std::optional<Reflector::Result>> Reflector::read_events() {
    std::vector<WatchEvent> batch;
    std::optional<Result> end;
    EventReader reader([&](WatchEvent event) {
        if (event.type == EventType::error)
            end = Result{ending_of(event.status.code, event.status), reason_of(event.status.code, event.status)};
        if (end)
            return;
        works();
        bookmarks_ = bookmarks_ || event.type == EventType::bookmark;
        list_watch_.seen(event.object.version);
        if (event.type != EventType::bookmark)
            batch.push_back(std::move(event));
    });
    sink_.health({});
    bool anything = false;
    const Time began = Clock::now();
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
        anything = true;
        const std::string problem = reader.feed(*bytes);
        if (!batch.empty())
            sink_.events(std::exchange(batch, {}));
        if (!problem.empty())
            co_return Result{Ending::broken, problem};
    }
    if (end)
        co_return end;
    if (!anything && Clock::now() - began < very_short)
        co_return Result{Ending::unreachable, client_.name(link_->server) + ": the watch ended as soon as it began"};
    works();
    co_return Result{Ending::closed, {}};
}

/// An answer that was worth something: failures are counted anew.
void Reflector::works() {
    client_.succeeded(*link_);
    failures_ = 0;
    breaks_ = 0;
}

/// When all resources fail, the pool's pauses do, and end for all when one comes back. Where the server has worked for
/// others since this one last broke, nobody but this one is to wait.
void Reflector::note_break() {
    const Time now = Clock::now();
    if (++breaks_ > 1 && client_.worked_since(*link_, broken_))
        setback_ = {link_->server, now + pause_after(breaks_, client_.jitter())};
    broken_ = now;
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
                     head.retry_after.value_or(0s)};
}

asio::awaitable<void> Reflector::recover(Result result) {
    if (list_watch_.watching() && client_.hooks().watch_restarted)
        client_.hooks().watch_restarted(resource().name, word(result.ending));
    list_watch_.ended(result.ending);
    pages_.clear();
    switch (result.ending) {
        case Ending::closed:
            co_return;
        case Ending::unreachable:
        case Ending::busy:
            client_.failed(*link_, result.retry_after);
            note_break();
            sink_.health(resource().name + ": " + result.reason);
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
    ++failures_;
    const bool our_answer_helps = result.ending != Ending::refused && result.ending != Ending::broken;
    if (our_answer_helps && failures_ == 1)
        co_return;
    sink_.health(resource().name + ": " + result.reason);
    co_await sleep_until(client_.context(), Clock::now() + pause_after(failures_, client_.jitter()));
}

}  // namespace api
