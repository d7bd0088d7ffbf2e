// Listing, then watching, one resource: what to ask an API server next, given what became of the last request. The
// decisions of client-go's reflector (tools/cache/reflector.go), without I/O. Pure.
#pragma once

#include <string>

namespace api {

/// What is watched, and with which selectors.
struct Resource {
    std::string name;        ///< "services", for metrics and messages
    std::string kind;        ///< of one object: "Service"
    std::string path;        ///< "/api/v1/services"
    std::string selectors;   ///< of the query, encoded: "labelSelector=..."
    std::string narrower;    ///< selectors that older servers refuse; asked for until one does
    bool as_of_now = false;  ///< also the first list is to be as new as etcd has it, not as a server's cache
};

/// What a request ended with.
enum class Ending {
    closed,        ///< a watch that the server ended, as it does every few minutes
    expired,       ///< 410: what we know is too old to go on from; list again
    silent,        ///< nothing came on a watch for longer than could be
    too_large,     ///< what we know is newer than this server's cache: another one answers now, or etcd was restored
    unsupported,   ///< 400 or 422: the server does not know a parameter
    unauthorized,  ///< 401: the credentials are not, or not any more, good
    refused,       ///< 403, 404 and the like: it will not help to ask another server
    busy,          ///< 429, 5xx
    unreachable,   ///< no connection, or it broke
    broken,        ///< an answer that cannot be read
};

/// "closed", "expired", ...: for metrics.
const char* word(Ending ending);

class ListWatch {
public:
    enum class Call { list, watch };
    struct Request {
        Call call = Call::list;
        std::string target;
    };

    explicit ListWatch(Resource resource)
        : resource_(std::move(resource)), age_(resource_.as_of_now ? Age::now : Age::any) {}

    const Resource& resource() const { return resource_; }

    /// `jitter`: 0 to 1, so that the watches of many nodes do not end together: they last 5 to 10 minutes.
    Request next(double jitter) const;

    /// A page of the list has come whole. An empty token: it was the last one.
    void page(const std::string& version, const std::string& continue_token);
    /// An event or a bookmark of the watch. Whether its version is another one than the last.
    bool seen(const std::string& version);
    /// What comes after such an ending is another request than the one that failed.
    static bool asks_another_way_after(Ending ending);
    void ended(Ending ending);

    /// Whether everything is known, and is only kept up to date.
    bool watching() const { return listed_; }

private:
    /// How new a list has to be. The first one may be of any age (resourceVersion 0): the watch that follows brings us
    /// up to date. A later one as new as what we know: out of the servers' caches, lest all nodes ask etcd together
    /// after a restart of the API servers. Only when that cannot be had: as new as etcd itself, in pages.
    enum class Age { any, known, now };

    std::string query(const std::string& rest) const;
    void list_again(Age age);

    Resource resource_;
    Age age_;
    bool narrow_ = true;
    bool listed_ = false;
    bool paged_ = true;
    std::string version_;
    std::string continue_token_;
};

/// Percent-encodes what may not stand in the value of a query.
std::string encode_query(const std::string& text);

}  // namespace api
