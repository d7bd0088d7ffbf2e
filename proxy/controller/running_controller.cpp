#include "proxy/controller/running_controller.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/asio_address.hpp"
#include "proxy/log/log.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t default_port = 10249;
constexpr const char* api_away = "the API server has not answered for 60 s";

/// All Services: the status of each says which addresses it has, whoever gave them.
api::Resource all_services() {
    return {"services", "Service", "/api/v1/services", {}, {}, true};
}

const char* word_of(WriteResult::Kind kind) {
    switch (kind) {
        case WriteResult::Kind::written:
            return "written";
        case WriteResult::Kind::conflict:
            return "conflict";
        case WriteResult::Kind::refused:
            return "refused";
        case WriteResult::Kind::unknown:
            return "unknown";
    }
    return "";
}

asio::ip::tcp::endpoint everywhere(asio::io_context& context) {
    boost::system::error_code error;
    asio::ip::tcp::acceptor probe(context);
    probe.open(asio::ip::tcp::v6(), error);
    return {error ? asio::ip::tcp::v4() : asio::ip::tcp::v6(), default_port};
}

}  // namespace

RunningController::Watching::Watching(asio::io_context& context, const api::Access& access, const api::ApiHooks& hooks,
                                      api::Reflector::Sink sink)
    : client(context, access, hooks),
      reflector(client, all_services(), {}, std::move(sink), api::Reading::balanced_services) {}

RunningController::RunningController(asio::io_context& context, const ControllerOptions& options,
                                     const api::Access& access, PoolFile& file, ControllerMetrics& metrics)
    : context_(context),
      options_(options),
      file_(file),
      metrics_(metrics),
      hooks_(controller_hooks(metrics)),
      keeper_(context, access, hooks_, {options.lease_namespace, options.lease_name},
              Elector(options.identity, options.timing),
              {[this](const LeaseRecord& taken) { lead(taken); }, [this] { return rounds_.lease_text(); },
               [this] {
                   rounds_.lease_written();
                   write_what_may_be();
               },
               [this](const std::string& why) { lose(why); }}),
      writer_(context, access, hooks_,
              [this](const StatusWrite& write, WriteResult result, const std::string& why) {
                  note_done(write, std::move(result), why);
              }),
      watching_(context, access, hooks_,
                {[this](std::vector<api::WireObject> objects) { note_list(std::move(objects)); },
                 [this](std::vector<api::WatchEvent> events) { note_events(std::move(events)); },
                 [this](const std::optional<api::Trouble>& trouble) { note_health(trouble); }}),
      posting_(context, access, hooks_, options.identity),
      timer_(context) {
    allocator_.configure(*file.config());
    listen();
}

void RunningController::start() {
    spawn(context_, keeper_.run());
    spawn(context_, watch_file(context_, file_.path(), [this] { read_file(); }));
    log::info("waiting for the Lease",
              {{"lease", options_.lease_namespace + "/" + options_.lease_name}, {"identity", options_.identity}});
}

// ---- who leads -----------------------------------------------------------------------------------------------

/// The Services are listed now, not before: what the former leader has written is in that list, or reserved.
void RunningController::lead(const LeaseRecord& taken) {
    log::info("leading from now on", {{"transitions", std::to_string(taken.transitions)}});
    metrics_.leader.Set(1);
    metrics_.terms.Increment();
    allocator_.begin(read_reservations(taken.reservations));
    spawn(context_, watching_.reflector.run());
    spawn(context_, work());
}

void RunningController::lose(const std::string& why) {
    begin_anew("the Lease is lost: " + why);
}

void RunningController::begin_anew(const std::string& why) {
    metrics_.leader.Set(0);
    log::warning(why + "; what Services have they keep; beginning anew");
    context_.stop();
}

void RunningController::stop() {
    if (std::exchange(stopped_, true))
        return context_.stop();  // whoever asks twice waits no longer
    log::info("stopping; what Services have they keep");
    spawn(context_, give_up());
}

asio::awaitable<void> RunningController::give_up() {
    co_await keeper_.release();
    metrics_.leader.Set(0);
    context_.stop();
}

// ---- what is to be done --------------------------------------------------------------------------------------

/// Plans whenever something has happened, or is due.
asio::awaitable<void> RunningController::work() {
    while (!stopped_) {
        rounds_.plan(Clock::now());
        write_what_may_be();
        const bool more = allocator_.has_more() && allocator_.in_flight() < AllocationRounds::most_writes;
        const auto next = allocator_.next_moment();
        timer_.expires_at(more ? Clock::now() : next.value_or(Clock::now() + 1h));
        boost::system::error_code woken;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

void RunningController::write_what_may_be() {
    if (!keeper_.elector().leads())
        return;
    for (StatusWrite& write : rounds_.take_ready())
        writer_.write(std::move(write));
    if (rounds_.wants_lease())
        keeper_.hurry();
}

void RunningController::note_list(std::vector<api::WireObject> objects) {
    std::vector<BalancedServicePtr> services;
    for (api::WireObject& object : objects)
        if (object.balanced)
            services.push_back(std::move(object.balanced));
    if (!std::exchange(watching_.listed, true))
        log::info("the Services are known", {{"services", std::to_string(services.size())}});
    allocator_.list(std::move(services), Clock::now());
    wake();
}

void RunningController::note_events(std::vector<api::WatchEvent> events) {
    for (api::WatchEvent& event : events) {
        if (!event.object.balanced)
            continue;
        if (event.type == api::EventType::deleted)
            allocator_.remove(event.object.name);
        else
            allocator_.put(std::move(event.object.balanced));
    }
    wake();
}

void RunningController::read_file() {
    const std::string before = file_.problem();
    const bool changed = file_.read();
    metrics_.set_config(true, !file_.problem().empty());
    if (!file_.problem().empty() && file_.problem() != before)
        log::error("the configuration has mistakes: the last good one stays in force", {{"mistakes", file_.problem()}});
    else if (file_.problem().empty() && !before.empty())
        log::info("the configuration has no mistakes any more");
    if (!changed)
        return;
    log::info("the configuration has changed", {{"pools", std::to_string(file_.config()->pools.size())}});
    allocator_.configure(*file_.config());
    wake();
}

// ---- what has become of it -----------------------------------------------------------------------------------

void RunningController::note_done(const StatusWrite& write, WriteResult result, const std::string& why) {
    metrics_.status_writes.Add({{"result", word_of(result.kind)}}).Increment();
    const bool rewound = result.kind == WriteResult::Kind::conflict && result.service &&
                         is_older(result.service->version, write.version);
    if (result.kind == WriteResult::Kind::written)
        tell(write);
    else if (result.kind != WriteResult::Kind::conflict)
        if (const auto count = complaints_.happened(Clock::now()))
            log::warning("a status cannot be written; it is tried again, ever more seldom",
                         {{"service", to_string(write.service)}, {"reason", why}, {"times", std::to_string(*count)}});
    allocator_.finish(write, std::move(result), Clock::now());
    if (rewound)
        return begin_anew("the API server has older objects than it had: its data were restored");
    wake();
}

void RunningController::tell(const StatusWrite& write) {
    if (!write.lost.empty())
        post(write, "AddressLost", write.lost, true);
    if (!write.news || !write.condition)
        return;
    log::info("a Service has a new status", {{"service", to_string(write.service)},
                                             {"reason", write.condition->reason},
                                             {"message", write.condition->message}});
    post(write, write.condition->reason, write.condition->message, write.warning);
}

void RunningController::post(const StatusWrite& write, const std::string& reason, const std::string& message,
                             bool warning) {
    spawn(context_, posting_.poster.post(
                        {reason, message, warning, "Service", write.service.name, write.service.space, write.uid}));
}

void RunningController::note_health(const std::optional<api::Trouble>& trouble) {
    if (!trouble)
        watching_.troubles.over("services");
    else if (const auto news = watching_.troubles.failed("services", *trouble, Clock::now()); news && hooks_.away)
        hooks_.away(*news);
}

// ---- pages ---------------------------------------------------------------------------------------------------

void RunningController::listen() {
    serving_.pages.emplace("/metrics", [this] {
        metrics_.set_pools(keeper_.elector().leads() && watching_.listed ? &allocator_ : nullptr);
        return Reply{200, "text/plain; version=0.0.4; charset=utf-8", metrics_.text()};
    });
    serving_.pages.emplace("/readyz", [this] { return ready(); });
    serving_.pages.emplace("/livez", [this] { return live(); });
    std::vector<asio::ip::tcp::endpoint> places;
    for (const Listen& where : options_.listen)
        places.emplace_back(base::to_asio(where.address), static_cast<std::uint16_t>(where.port));
    if (places.empty())
        places.push_back(everywhere(context_));
    for (const auto& place : places) {
        auto listener = std::make_unique<Listener>(context_.get_executor(), place, handler_of(serving_.pages), [] {});
        if (!listener->problem().empty())
            log::warning("the pages cannot be served; it is tried again every 5 s",
                         {{"port", std::to_string(place.port())}, {"reason", listener->problem()}});
        serving_.listeners.push_back(std::move(listener));
    }
}

/// Whoever waits for the Lease is ready, too: it knows the Lease, and can take it.
Reply RunningController::ready() const {
    const auto heard = keeper_.heard();
    if (!heard || Clock::now() - *heard > 60s)
        return {503, "text/plain; charset=utf-8", std::string("not ready: ") + api_away + " about the Lease\n"};
    if (keeper_.elector().leads() && !watching_.listed)
        return {503, "text/plain; charset=utf-8", "not ready: waiting for the first list of Services\n"};
    return {200, "text/plain; charset=utf-8",
            keeper_.elector().leads() ? "ok, leading\n" : "ok, waiting for the Lease\n"};
}

/// The loop answers, and a leader that should be none any more says so (client-go's HealthzAdaptor).
Reply RunningController::live() const {
    if (keeper_.elector().leads() && Clock::now() > keeper_.elector().deadline() + 20s)
        return {503, "text/plain; charset=utf-8", "the Lease was to be renewed or given up long ago\n"};
    return {200, "text/plain; charset=utf-8", "ok\n"};
}

}  // namespace proxy
