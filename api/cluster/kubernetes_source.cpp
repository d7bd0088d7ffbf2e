#include "api/cluster/kubernetes_source.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/cluster/wire.hpp"
#include "base/rethrow.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 5s;  // for what the start does not depend on

using Need = WatchedResource::Need;

/// The cluster's controllers have found the pods: what a Service selects is in its slices. So have they found its
/// addresses: nobody asks for its families.
void resolve_by_slices(Transaction& changes) {
    for (Upsert& upsert : changes.upserts)
        if (auto* service = std::get_if<Service>(&upsert.object)) {
            service->selector.clear();
            std::vector<Family>().swap(service->families);
        }
}

}  // namespace

KubernetesSource::KubernetesSource(asio::io_context& context, KubernetesOptions options, const ApiHooks& hooks)
    : client_(context, std::move(options.access), hooks, options.timing.pauses),
      node_name_(std::move(options.node_name)),
      timer_(context),
      events_(client_, node_name_) {
    if (options.resources.empty())
        options.resources = resources_of_node(node_name_);
    for (WatchedResource& resource : options.resources)
        watched_.push_back(make(watched_.size(), std::move(resource), options));
    pending_.initial = true;
}

KubernetesSource::~KubernetesSource() = default;

KubernetesSource::Watched KubernetesSource::make(std::size_t index, WatchedResource resource,
                                                 const KubernetesOptions& options) {
    Reflector::Sink sink{[this, index](std::vector<WireObject> objects) { apply_list(index, std::move(objects)); },
                         [this, index](std::vector<WatchEvent> events) { apply_events(index, std::move(events)); },
                         [this, index](const std::optional<Trouble>& trouble) { note_health(index, trouble); }};
    auto reflector = std::make_unique<Reflector>(client_, resource.resource, options.timing, std::move(sink));
    ObjectSet objects(resource.kind, resource.resource.name, options.relist_hold);
    return {std::move(resource), std::move(reflector), std::move(objects)};
}

asio::awaitable<void> KubernetesSource::run(OnTransaction deliver) {
    deliver_ = std::move(deliver);
    for (const Watched& watched : watched_)
        asio::co_spawn(client_.context(), watched.reflector->run(), base::rethrow);
    co_await keep_time();
}

// ---- what comes in -------------------------------------------------------------------------------------------

void KubernetesSource::apply_list(std::size_t index, std::vector<WireObject> objects) {
    Watched& watched = watched_[index];
    for (const WireObject& object : objects)
        count_mistakes(object, watched.about.resource);
    watched.listed = true;
    if (watched.about.only_events_empty_it && objects.empty() && watched.objects.size() > 0)
        return;
    watched.objects.list(std::move(objects), Clock::now(), pending_);
    hand_over();
}

void KubernetesSource::apply_events(std::size_t index, std::vector<WatchEvent> events) {
    Watched& watched = watched_[index];
    for (const WatchEvent& event : events)
        count_mistakes(event.object, watched.about.resource);
    watched.objects.events(std::move(events), pending_);
    hand_over();
}

void KubernetesSource::count_mistakes(const WireObject& object, const Resource& resource) const {
    const bool wrong = std::any_of(object.mistakes.begin(), object.mistakes.end(),
                                   [](const Mistake& mistake) { return !mistake.warning; });
    if (wrong && client_.hooks().decode_error)
        client_.hooks().decode_error(resource.name);
}

/// True: there is nothing more to be said of it.
bool KubernetesSource::note_optional_health(Watched& watched, const std::optional<Trouble>& trouble) {
    const std::string& name = watched.about.resource.name;
    const bool was_absent = std::exchange(watched.absent, trouble && trouble->cause == Trouble::Cause::absent);
    if (watched.absent) {
        troubles_.over(name);
        if (!was_absent && client_.hooks().absent)
            client_.hooks().absent(name, trouble->words);
        return true;
    }
    if (!trouble || trouble->cause != Trouble::Cause::permission) {
        watched.forbidden = watched.forbidden && trouble.has_value();
        return false;
    }
    const auto news = troubles_.failed(name, *trouble, Clock::now());
    if (news && !std::exchange(watched.forbidden, true) && client_.hooks().away)
        client_.hooks().away(*news);
    return true;
}

void KubernetesSource::note_health(std::size_t index, const std::optional<Trouble>& trouble) {
    Watched& watched = watched_[index];
    const std::string& name = watched.about.resource.name;
    const bool optional = watched.about.need == Need::if_there;
    const bool told = optional && note_optional_health(watched, trouble);
    if (optional && trouble && !delivered_)
        hand_over();  // it is not waited for
    if (told)
        return;
    if (!trouble)
        troubles_.over(name);
    else if (const auto news = troubles_.failed(name, *trouble, Clock::now()); news && client_.hooks().away)
        client_.hooks().away(*news);
    if (!away_since_ && watched.about.need == Need::must && troubles_.lasts(name))
        away_since_ = Clock::now();
    if (away_since_ && is_current()) {
        const auto away_for = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - *away_since_);
        away_since_.reset();
        if (client_.hooks().back)
            client_.hooks().back(away_for);
    }
}

bool KubernetesSource::is_current() const {
    return std::none_of(watched_.begin(), watched_.end(),
                        [this](const Watched& watched) { return watched.about.need == Need::must && ails(watched); });
}

bool KubernetesSource::knows(Kind kind) const {
    return std::any_of(watched_.begin(), watched_.end(),
                       [&](const Watched& watched) { return watched.about.kind == kind && watched.is_known(); });
}

// ---- what goes out -------------------------------------------------------------------------------------------

bool KubernetesSource::has_what_it_must() const {
    return std::all_of(watched_.begin(), watched_.end(),
                       [](const Watched& watched) { return watched.about.need != Need::must || watched.listed; });
}

bool KubernetesSource::complete() const {
    if (!has_what_it_must())
        return false;
    const bool waited = awaited_ && Clock::now() >= *awaited_;
    return waited || std::all_of(watched_.begin(), watched_.end(), [this](const Watched& watched) {
               return watched.is_known() || (watched.about.need == Need::if_there && ails(watched));
           });
}

void KubernetesSource::hand_over() {
    timer_.cancel();  // there may be another moment to wait for
    if (!delivered_ && !complete()) {
        if (!awaited_ && has_what_it_must())
            awaited_ = Clock::now() + patience;
        return;
    }
    delivered_ = true;
    Transaction changes = std::exchange(pending_, {});
    resolve_by_slices(changes);
    add_problems(changes);
    deliver_(std::move(changes));
}

/// Gathering them costs what they are, so it is not done for an event that changes none.
void KubernetesSource::add_problems(Transaction& changes) {
    std::uint64_t missed = 0;
    std::uint64_t versions = 0;
    for (const Watched& watched : watched_) {
        missed = 2 * missed + (watched.is_missed() ? 1 : 0);
        versions += watched.objects.problems_version();
    }
    const std::uint64_t version = 1 + missed + (versions << watched_.size());
    changes.same_problems = std::exchange(problems_version_, version) == version;
    if (changes.same_problems)
        return;
    for (const Watched& watched : watched_)
        watched.objects.add_problems(changes.problems);
    for (const Watched& watched : watched_)
        if (watched.is_missed())
            changes.problems.push_back({{}, watched.about.title, watched.about.when_empty, true});
}

/// What is due at a moment, not at an event.
asio::awaitable<void> KubernetesSource::keep_time() {
    for (;;) {
        Time next = Clock::now() + 1h;
        if (!delivered_ && awaited_)
            next = *awaited_;
        for (const Watched& watched : watched_)
            if (const auto due = watched.objects.due())
                next = std::min(next, !ails(watched) ? *due : std::max<Time>(*due, Clock::now() + 1s));
        timer_.expires_at(next);
        boost::system::error_code cancelled;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        if (cancelled)
            continue;
        // What a server says that is away by now is not obeyed.
        for (Watched& watched : watched_)
            if (!ails(watched))
                watched.objects.release(Clock::now(), pending_);
        hand_over();
    }
}

asio::awaitable<tl::expected<std::optional<Node>, std::string>> KubernetesSource::find_node(std::string name) {
    const auto answer = co_await client_.request(
        "GET", "/api/v1/nodes?resourceVersion=0&fieldSelector=" + encode_query("metadata.name=" + name));
    if (!answer)
        co_return tl::unexpected(answer.error());
    if (answer->status / 100 != 2)
        co_return tl::unexpected(refusal_of(*answer));
    std::optional<Node> found;
    ListReader reader("Node", [&](const WireObject& object) {
        for (const Object& one : object.objects)
            if (const auto* node = std::get_if<Node>(&one); node != nullptr && node->name.name == name)
                found = *node;
    });
    reader.feed(answer->body);
    if (const auto end = reader.finish(); !end.problem.empty())
        co_return tl::unexpected(end.problem);
    co_return found;
}

// ---- what is said of it --------------------------------------------------------------------------------------

std::string KubernetesSource::waiting_for() const {
    std::string text;
    for (const Watched& watched : watched_) {
        if (watched.listed || watched.about.need != Need::must)
            continue;
        const std::string& name = watched.about.resource.name;
        text += (text.empty() ? "the first complete list of " : "; of ") + name;
        if (ails(watched))
            text += " (" + troubles_.reason(name) + ")";
    }
    if (!text.empty())
        return text;
    const auto next =
        std::find_if(watched_.begin(), watched_.end(), [](const Watched& watched) { return !watched.is_known(); });
    return next == watched_.end() ? "" : next->about.title;
}

Condition KubernetesSource::condition() const {
    Condition condition;
    for (const Watched& watched : watched_) {
        condition.staleness[watched.about.resource.name] = watched.reflector->stale(Clock::now()).count();
        condition.held += watched.objects.held();
    }
    for (const TroubleNews& news : troubles_.now())
        condition.ailments.push_back({{}, "", "not up to date: " + to_string(news), true});
    return condition;
}

}  // namespace api
