// Why resources cannot be kept up to date, in words: what the API server refuses, and which rule is missing. What is
// said of it, and how often: one line for one cause, however many resources and attempts it costs. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/cluster/list_watch.hpp"

namespace api {

/// What came of one request that failed.
struct Trouble {
    /// What is to be done about; the same for all resources that one remedy helps.
    enum class Cause { unreachable, credentials, permission, answer, absent };
    Cause cause = Cause::unreachable;
    std::string words;  ///< "https://10.0.0.1:6443: connect: Connection refused"
};

/// `code`: the HTTP status of a refusal, or 0. `reason`: who said what.
Trouble trouble_of(const Resource& resource, ListWatch::Call call, Ending ending, int code, const std::string& reason);

/// One cause that lasts.
struct TroubleNews {
    std::string what;    ///< "the Kubernetes API cannot be reached"
    std::string remedy;  ///< empty: none that we know
    std::string reason;  ///< "services, nodes: https://10.0.0.1:6443: connect: Connection refused"
    std::size_t attempts = 0;
    bool operator==(const TroubleNews&) const = default;
};

/// "the Kubernetes API cannot be reached (services, nodes: ...)"
std::string to_string(const TroubleNews& news);

class Troubles {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// An attempt has failed. What is to be logged of it: a cause once it has cost a resource two attempts, and while
    /// it lasts after 10, 20, 40, and then every 60 minutes.
    std::optional<TroubleNews> failed(const std::string& resource, const Trouble& trouble, Time now);
    /// The resource is kept up to date.
    void over(const std::string& resource);

    /// It is not kept up to date, and it is no matter of one attempt.
    bool lasts(const std::string& resource) const;
    bool any(const std::string& resource) const { return rows_.contains(resource); }
    /// The reason of the last attempt; empty: there is no trouble.
    std::string reason(const std::string& resource) const;
    /// What lasts now, a cause each. The words stay the same as long as causes and resources do.
    std::vector<TroubleNews> now() const;

private:
    struct Key {
        Trouble::Cause cause = Trouble::Cause::unreachable;
        std::string resource;  // a missing permission is another one for each
        auto operator<=>(const Key&) const = default;
    };
    struct Row {
        Key key;
        std::size_t attempts = 0;  // in a row
        std::string words;
    };
    struct Lasting {
        std::string words;  // of the first attempt
        std::size_t attempts = 0;
        std::optional<Time> told;
        std::chrono::minutes pause{10};
    };

    bool costs_any(const Key& key) const;
    TroubleNews news_of(const Key& key, const Lasting& lasting) const;

    std::map<std::string, Row> rows_;  // by resource
    std::map<Key, Lasting> lasting_;
};

}  // namespace api
