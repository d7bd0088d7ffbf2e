// Describes what is served over HTTP: requests and replies as values, and pages that make the one of the other.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <concepts>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace proxy {

struct PageRequest {
    std::string method = "GET";
    std::string path;                          ///< without the query, as it was sent
    std::map<std::string, std::string> query;  ///< decoded; of a name that comes twice the last value
};

/// `target` is "/services?namespace=shop&watch=1". A name without "=" has an empty value, "+" is a space, and "%2F" a
/// slash (application/x-www-form-urlencoded). What is no encoding stays as it is. Pure.
PageRequest parse_target(std::string_view method, std::string_view target);

struct Reply {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};  ///< besides the usual ones
    /// A stream: the body goes on with what this returns, call by call, until it returns an empty text. It is dropped
    /// when the visitor goes, which is noticed with the next piece. nullptr: the body is complete.
    std::function<boost::asio::awaitable<std::string>()> more = {};
};

/// What answers a request for a page: a function of the request or of nothing, that replies at once or in turns of the
/// loop.
class Page {
public:
    template <class Make>
        requires(!std::same_as<Make, Page>)
    Page(Make make)
        : make_([make = std::move(make)](PageRequest request) -> boost::asio::awaitable<Reply> {
              if constexpr (std::is_invocable_r_v<Reply, Make>)
                  co_return make();
              else if constexpr (std::is_invocable_r_v<Reply, Make, const PageRequest&>)
                  co_return make(request);
              else if constexpr (std::is_invocable_v<Make, const PageRequest&>)
                  co_return co_await make(request);
              else
                  co_return co_await make();
          }) {}

    /// This must outlive the reply.
    boost::asio::awaitable<Reply> reply(PageRequest request) const { return make_(std::move(request)); }

private:
    std::function<boost::asio::awaitable<Reply>(PageRequest)> make_;
};

/// Path (without query) to what answers it. GET and HEAD only; anything else is answered by 404 or 405.
using Pages = std::map<std::string, Page, std::less<>>;

/// What answers every request; nullopt: the connection is closed without an answer.
using Handler = std::function<boost::asio::awaitable<std::optional<Reply>>(PageRequest)>;

/// `pages` must outlive it.
Handler handler_of(const Pages& pages);

/// The same answer to all requests, whatever their path and method.
Handler handler_of(std::function<std::optional<Reply>()> answer);

}  // namespace proxy
