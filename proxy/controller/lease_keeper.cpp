#include "proxy/controller/lease_keeper.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/log/log.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const api::RequestForm quick{{}, 5s};  // half of the time in which it is to be renewed, as client-go has it

}  // namespace

LeaseKeeper::LeaseKeeper(asio::io_context& context, api::Access access, const api::ApiHooks& hooks,
                         api::ObjectName lease, Elector elector, Handlers handlers)
    : context_(context),
      client_(context, std::move(access), hooks, {200ms, 1'000ms}),
      lease_(std::move(lease)),
      elector_(std::move(elector)),
      handlers_(std::move(handlers)),
      timer_(context) {}

asio::awaitable<void> LeaseKeeper::run() {
    while (!over_) {
        switch (elector_.step(Clock::now())) {
            case Elector::Step::wait: {
                timer_.expires_at(elector_.next_moment());
                boost::system::error_code hurried;
                co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, hurried));
                break;
            }
            case Elector::Step::read:
                co_await read();
                break;
            case Elector::Step::create:
                co_await write(true);
                break;
            case Elector::Step::write:
                co_await write(false);
                break;
            case Elector::Step::lost:
                lose("somebody else has the Lease, or it could not be renewed in time");
                break;
        }
    }
}

void LeaseKeeper::hurry() {
    elector_.hurry();
    timer_.cancel();
}

/// A request that hangs must not keep us leading.
asio::awaitable<void> LeaseKeeper::watch_deadline() {
    asio::steady_timer timer(context_);
    while (!over_) {
        timer.expires_at(elector_.deadline());
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (elector_.step(Clock::now()) == Elector::Step::lost)
            lose("it could not be renewed in time");
    }
}

void LeaseKeeper::lose(const std::string& why) {
    if (!std::exchange(over_, true))
        handlers_.lost(why);
}

void LeaseKeeper::fail(const std::string& why) {
    elector_.note_failure(Clock::now(), client_.jitter());
    if (const auto count = complaints_.happened(Clock::now()))
        log::warning("the Lease cannot be read or written; it is tried again",
                     {{"lease", to_string(lease_)}, {"reason", why}, {"times", std::to_string(*count)}});
}

asio::awaitable<void> LeaseKeeper::read() {
    const auto answer = co_await client_.request("GET", lease_path(lease_), {}, quick);
    if (!answer)
        co_return fail(answer.error());
    if (answer->status != 404 && !answer->fulfilled())
        co_return fail(api::refusal_of(*answer));
    const auto record = answer->status == 404 ? std::nullopt : read_lease(answer->body);
    if (answer->status != 404 && !record)
        co_return fail("the answer is no Lease");
    heard_ = Clock::now();
    elector_.note_read(record, *heard_, client_.jitter());
}

LeaseClaim LeaseKeeper::claim() const {
    LeaseClaim claim;
    claim.holder = elector_.identity();
    claim.duration = std::chrono::duration_cast<std::chrono::seconds>(elector_.timing().duration);
    claim.taking = elector_.is_taking();
    claim.now = std::chrono::system_clock::now();
    if (elector_.record()) {
        claim.transitions = elector_.record()->transitions;
        claim.reservations = elector_.record()->reservations;
    }
    return claim;
}

/// It is on the condition that nobody has written the Lease since we know what it says: so whoever has been replaced
/// without knowing it fails here.
asio::awaitable<void> LeaseKeeper::write(bool create) {
    const bool led = elector_.leads();
    LeaseClaim claim = this->claim();
    if (led)
        claim.reservations = handlers_.reservations();
    if (create)
        claim.transitions = -1;  // the first holder has no transition behind it
    const auto sent = Clock::now();
    const auto answer = create ? co_await client_.request("POST", leases_path(lease_), new_lease(lease_, claim), quick)
                               : co_await client_.request("PATCH", lease_path(lease_),
                                                          lease_patch(elector_.record()->version, claim), quick);
    if (over_)
        co_return;
    if (!answer)
        co_return fail(answer.error());
    if (answer->status == 409 || answer->status == 404)
        co_return elector_.note_conflict();
    const auto record = answer->fulfilled() ? read_lease(answer->body) : std::nullopt;
    if (!record)
        co_return fail(api::refusal_of(*answer));
    heard_ = Clock::now();
    elector_.note_written(*record, sent);
    if (led)
        co_return handlers_.written();
    spawn(context_, watch_deadline());
    handlers_.leads(*record);
}

asio::awaitable<void> LeaseKeeper::release() {
    over_ = true;
    if (!elector_.leads())
        co_return;
    LeaseClaim given_up = claim();
    given_up.holder.clear();
    given_up.taking = false;
    given_up.reservations = handlers_.reservations();
    for (int i = 0; i < 2 && elector_.record(); ++i) {  // a renewal may have been under way
        const auto answer = co_await client_.request("PATCH", lease_path(lease_),
                                                     lease_patch(elector_.record()->version, given_up), quick);
        if (!answer || answer->status != 409)
            co_return;
        co_await read();
        if (elector_.step(Clock::now()) == Elector::Step::lost)
            co_return;
    }
}

}  // namespace proxy
