#include "api/cluster/troubles.hpp"

#include <algorithm>

namespace api {
namespace {

constexpr std::size_t blip = 2;  // so many failures in a row are not worth a word

/// "/apis/discovery.k8s.io/v1/endpointslices" has the group discovery.k8s.io, "/api/v1/services" the group "".
std::string group_of(const std::string& path) {
    const std::string named = "/apis/";
    if (!path.starts_with(named))
        return {};
    return path.substr(named.size(), path.find('/', named.size()) - named.size());
}

std::string missing_rule(const Resource& resource, ListWatch::Call call) {
    const std::string verb = call == ListWatch::Call::list ? "list" : "watch";
    return "the ClusterRole of podferry's account lacks the verb " + verb + " in a rule apiGroups: [\"" +
           group_of(resource.path) + "\"], resources: [" + resource.name + "], verbs: [list, watch]";
}

const char* headline(Trouble::Cause cause) {
    switch (cause) {
        case Trouble::Cause::credentials:
            return "the Kubernetes API does not accept our credentials";
        case Trouble::Cause::permission:
            return "the Kubernetes API does not permit what podferry needs";
        case Trouble::Cause::answer:
        case Trouble::Cause::absent:
            return "the Kubernetes API gives answers that are of no use";
        case Trouble::Cause::unreachable:
            break;
    }
    return "the Kubernetes API cannot be reached";
}

const char* remedy(Trouble::Cause cause) {
    switch (cause) {
        case Trouble::Cause::credentials:
            return "is the token or certificate of this cluster, and not expired?";
        case Trouble::Cause::permission:
            return "give it that rule (the chart's ClusterRole has it)";
        case Trouble::Cause::answer:
        case Trouble::Cause::absent:
        case Trouble::Cause::unreachable:
            break;
    }
    return "";
}

}  // namespace

Trouble trouble_of(const Resource& resource, ListWatch::Call call, Ending ending, int code, const std::string& reason) {
    switch (ending) {
        case Ending::unauthorized:
            return {Trouble::Cause::credentials, reason};
        case Ending::refused:
            if (code == 403)
                return {Trouble::Cause::permission, missing_rule(resource, call) + "; " + reason};
            return {code == 404 ? Trouble::Cause::absent : Trouble::Cause::answer, reason};
        case Ending::expired:
        case Ending::silent:
        case Ending::too_large:
        case Ending::unsupported:
        case Ending::broken:
            return {Trouble::Cause::answer, reason};
        case Ending::closed:
        case Ending::busy:
        case Ending::unreachable:
            break;
    }
    return {Trouble::Cause::unreachable, reason};
}

std::string to_string(const TroubleNews& news) {
    return news.what + " (" + news.reason + ")" + (news.remedy.empty() ? "" : "; " + news.remedy);
}

std::optional<TroubleNews> Troubles::failed(const std::string& resource, const Trouble& trouble, Time now) {
    const Key key{trouble.cause, trouble.cause == Trouble::Cause::permission ? resource : ""};
    Row& row = rows_[resource];
    row = {key, row.attempts + 1, trouble.words};
    if (row.attempts < blip)
        return std::nullopt;
    Lasting& lasting = lasting_[key];
    if (lasting.attempts == 0) {
        lasting.words = trouble.words;
        for (const auto& [name, other] : rows_)
            lasting.attempts += other.key == key ? other.attempts : 0;  // those that were not worth a word too
    } else {
        ++lasting.attempts;
    }
    if (lasting.told) {
        if (now < *lasting.told + lasting.pause)
            return std::nullopt;
        lasting.pause = std::min(2 * lasting.pause, std::chrono::minutes(60));
    }
    lasting.told = now;
    return news_of(key, lasting);
}

void Troubles::over(const std::string& resource) {
    rows_.erase(resource);
    // This comes last: causes that alternate are told of as seldom as one that stays.
    std::erase_if(lasting_, [&](const auto& lasting) { return !costs_any(lasting.first); });
}

bool Troubles::costs_any(const Key& key) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row.second.key == key; });
}

bool Troubles::lasts(const std::string& resource) const {
    const auto row = rows_.find(resource);
    return row != rows_.end() && row->second.attempts >= blip;
}

std::string Troubles::reason(const std::string& resource) const {
    const auto row = rows_.find(resource);
    return row == rows_.end() ? "" : row->second.words;
}

TroubleNews Troubles::news_of(const Key& key, const Lasting& lasting) const {
    std::string resources;
    for (const auto& [name, row] : rows_)
        if (row.key == key)
            resources += (resources.empty() ? "" : ", ") + name;
    return {headline(key.cause), remedy(key.cause), resources + ": " + lasting.words, lasting.attempts};
}

std::vector<TroubleNews> Troubles::now() const {
    std::vector<TroubleNews> all;
    for (const auto& [key, lasting] : lasting_)
        if (costs_any(key))
            all.push_back(news_of(key, lasting));
    return all;
}

}  // namespace api
