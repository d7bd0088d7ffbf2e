#include "api/cluster/kubernetes_source.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/rethrow.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto node_patience = 5s;  // the start depends neither on the Node object nor on ServiceCIDRs

/// Services that another proxy serves, and headless ones, stay at the server (kube-proxy's own selectors, service/
/// config.go and server.go of v1.37; older servers know no field selector for clusterIP).
Resource services_resource() {
    return {"services", "Service", "/api/v1/services",
            "labelSelector=" + encode_query("!service.kubernetes.io/service-proxy-name"),
            "fieldSelector=" + encode_query("spec.clusterIP!=None")};
}

Resource slices_resource() {
    return {"endpointslices",
            "EndpointSlice",
            "/apis/discovery.k8s.io/v1/endpointslices",
            "labelSelector=" + encode_query("!service.kubernetes.io/headless"),
            {}};
}

Resource node_resource(const std::string& name) {
    return {"nodes", "Node", "/api/v1/nodes", "fieldSelector=" + encode_query("metadata.name=" + name), {}};
}

/// Since Kubernetes 1.33. Older servers do not have it, and older roles not the right to it: neither is worth more than
/// a word.
Resource cidrs_resource() {
    return {"servicecidrs", "ServiceCIDR", "/apis/networking.k8s.io/v1/servicecidrs", {}, {}};
}

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
    : client_(context, std::move(options.access), hooks),
      node_name_(std::move(options.node_name)),
      timer_(context),
      events_(client_, node_name_) {
    watched_.push_back(make(services, services_resource(), Kind::service, options));
    watched_.push_back(make(slices, slices_resource(), Kind::endpoint_slice, options));
    watched_.push_back(make(node, node_resource(node_name_), Kind::node, options));
    watched_.push_back(make(cidrs, cidrs_resource(), Kind::service_cidr, options));
    pending_.initial = true;
}

KubernetesSource::~KubernetesSource() = default;

KubernetesSource::Watched KubernetesSource::make(std::size_t index, Resource resource, Kind kind,
                                                 const KubernetesOptions& options) {
    const std::string name = resource.name;
    Reflector::Sink sink{[this, index](std::vector<WireObject> objects) { take_list(index, std::move(objects)); },
                         [this, index](std::vector<WatchEvent> events) { take_events(index, std::move(events)); },
                         [this, index](const std::optional<Trouble>& trouble) { take_health(index, trouble); }};
    return {std::make_unique<Reflector>(client_, std::move(resource), options.timing, std::move(sink)),
            ObjectSet(kind, name, options.relist_hold), false};
}

asio::awaitable<void> KubernetesSource::run(OnTransaction deliver) {
    deliver_ = std::move(deliver);
    for (const Watched& watched : watched_)
        asio::co_spawn(client_.context(), watched.reflector->run(), base::rethrow);
    co_await keep_time();
}

// ---- what comes in -------------------------------------------------------------------------------------------

void KubernetesSource::take_list(std::size_t index, std::vector<WireObject> objects) {
    Watched& watched = watched_[index];
    for (const WireObject& object : objects)
        count_mistakes(object, watched.reflector->resource());
    watched.listed = true;
    // Only an event says that our Node is gone: a list without it is the word of a server that may have lost its data.
    if (index == node && objects.empty() && watched.objects.size() > 0)
        return;
    watched.objects.list(std::move(objects), Clock::now(), pending_);
    hand_over();
}

void KubernetesSource::take_events(std::size_t index, std::vector<WatchEvent> events) {
    Watched& watched = watched_[index];
    for (const WatchEvent& event : events)
        count_mistakes(event.object, watched.reflector->resource());
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
bool KubernetesSource::take_optional_health(const std::optional<Trouble>& trouble) {
    const bool was_absent = std::exchange(cidrs_absent_, trouble && trouble->cause == Trouble::Cause::absent);
    if (cidrs_absent_) {
        troubles_.over(name_of(cidrs));
        if (!was_absent && client_.hooks().absent)
            client_.hooks().absent(name_of(cidrs), trouble->words);
        return true;
    }
    if (!trouble || trouble->cause != Trouble::Cause::permission) {
        cidrs_forbidden_ = cidrs_forbidden_ && trouble.has_value();
        return false;
    }
    const auto news = troubles_.failed(name_of(cidrs), *trouble, Clock::now());
    if (news && !std::exchange(cidrs_forbidden_, true) && client_.hooks().away)
        client_.hooks().away(*news);
    return true;
}

void KubernetesSource::take_health(std::size_t index, const std::optional<Trouble>& trouble) {
    const bool told = index == cidrs && take_optional_health(trouble);
    if (index == cidrs && trouble && !delivered_)
        hand_over();  // it is not waited for
    if (told)
        return;
    if (!trouble)
        troubles_.over(name_of(index));
    else if (const auto news = troubles_.failed(name_of(index), *trouble, Clock::now()); news && client_.hooks().away)
        client_.hooks().away(*news);
    if (!away_since_ && (index == services || index == slices) && troubles_.lasts(name_of(index)))
        away_since_ = Clock::now();
    if (away_since_ && watching()) {
        const auto away_for = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - *away_since_);
        away_since_.reset();
        if (client_.hooks().back)
            client_.hooks().back(away_for);
    }
}

bool KubernetesSource::watching() const {
    return !ails(watched_[services]) && !ails(watched_[slices]);
}

std::vector<Problem> KubernetesSource::ailments() const {
    std::vector<Problem> problems;
    for (const TroubleNews& news : troubles_.now())
        problems.push_back({{}, "", "not up to date: " + to_string(news), true});
    return problems;
}

// ---- what goes out -------------------------------------------------------------------------------------------

bool KubernetesSource::complete() const {
    const bool waited = node_awaited_ && Clock::now() >= *node_awaited_;
    return watched_[services].listed && watched_[slices].listed && (watched_[node].listed || waited) &&
           (knows_service_cidrs() || ails(watched_[cidrs]) || waited);
}

void KubernetesSource::hand_over() {
    timer_.cancel();  // there may be another moment to wait for
    if (!delivered_ && !complete()) {
        if (!node_awaited_ && watched_[services].listed && watched_[slices].listed)
            node_awaited_ = Clock::now() + node_patience;
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
    const bool node_missing = watched_[node].listed && watched_[node].objects.size() == 0;
    std::uint64_t version = node_missing ? 1 : 2;
    for (const Watched& watched : watched_)
        version += 4 * watched.objects.problems_version();
    changes.same_problems = std::exchange(problems_version_, version) == version;
    if (changes.same_problems)
        return;
    for (const Watched& watched : watched_)
        watched.objects.add_problems(changes.problems);
    if (node_missing)
        changes.problems.push_back({{},
                                    "Node " + node_name_,
                                    "the API has no such Node: is node_name right? Until it is there, this host's own "
                                    "addresses are used",
                                    true});
}

/// What is due at a moment, not at an event.
asio::awaitable<void> KubernetesSource::keep_time() {
    for (;;) {
        Time next = Clock::now() + 1h;
        if (!delivered_ && node_awaited_)
            next = *node_awaited_;
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

// ---- what is said of it --------------------------------------------------------------------------------------

std::string KubernetesSource::waiting_for() const {
    std::string text;
    for (const std::size_t index : {services, slices}) {
        const Watched& watched = watched_[index];
        if (watched.listed)
            continue;
        text += (text.empty() ? "the first complete list of " : "; of ") + watched.reflector->resource().name;
        if (ails(watched))
            text += " (" + troubles_.reason(name_of(index)) + ")";
    }
    return !text.empty() ? text : watched_[node].listed ? "ServiceCIDRs" : "Node " + node_name_;
}

std::map<std::string, double> KubernetesSource::staleness() const {
    std::map<std::string, double> seconds;
    for (const Watched& watched : watched_)
        seconds[watched.reflector->resource().name] = watched.reflector->stale(Clock::now()).count();
    return seconds;
}

std::size_t KubernetesSource::held() const {
    std::size_t held = 0;
    for (const Watched& watched : watched_)
        held += watched.objects.held();
    return held;
}

}  // namespace api
