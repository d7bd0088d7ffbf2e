#include "api/cluster/list_watch.hpp"

#include <cctype>

namespace api {
namespace {

constexpr int page_size = 500;            // client-go's
constexpr int shortest_watch_s = 5 * 60;  // client-go's: up to twice that by jitter

std::string watch_timeout(double jitter) {
    return "&timeoutSeconds=" + std::to_string(static_cast<int>(shortest_watch_s * (1 + jitter)));
}

}  // namespace

const char* word(Ending ending) {
    static constexpr const char* words[] = {"closed",       "expired", "silent", "too_large",   "unsupported",
                                            "unauthorized", "refused", "busy",   "unreachable", "broken"};
    return words[static_cast<int>(ending)];
}

std::string encode_query(const std::string& text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
            encoded += c;
            continue;
        }
        encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return encoded;
}

std::string ListWatch::query(const std::string& rest) const {
    std::string text = resource_.selectors;
    if (narrow_ && !resource_.narrower.empty())
        text += (text.empty() ? "" : "&") + resource_.narrower;
    return resource_.path + "?" + text + (text.empty() ? "" : "&") + rest;
}

ListWatch::Request ListWatch::next(double jitter) const {
    if (listed_)
        return {Call::watch,
                query("watch=1&allowWatchBookmarks=true&resourceVersion=" + version_ + watch_timeout(jitter))};
    if (!continue_token_.empty())
        return {Call::list, query("limit=" + std::to_string(page_size) + "&continue=" + encode_query(continue_token_))};
    // Out of the servers' caches, which know no pages.
    if (age_ == Age::any)
        return {Call::list, query("resourceVersion=0")};
    if (age_ == Age::known)
        return {Call::list, query("resourceVersion=" + version_)};
    return {Call::list, query(paged_ ? "limit=" + std::to_string(page_size) : "resourceVersion=")};
}

void ListWatch::page(const std::string& version, const std::string& continue_token) {
    continue_token_ = continue_token;
    if (!continue_token.empty())
        return;
    version_ = version;
    listed_ = true;
    paged_ = true;
}

bool ListWatch::seen(const std::string& version) {
    if (version.empty() || version == version_)
        return false;
    version_ = version;
    return true;
}

bool ListWatch::asks_another_way_after(Ending ending) {
    return ending != Ending::refused && ending != Ending::broken;
}

void ListWatch::list_again(Age age) {
    if (!continue_token_.empty())
        paged_ = false;  // so large, or so slow, that the list expires while it is read: all in one (client-go's pager)
    listed_ = false;
    age_ = age;
    continue_token_.clear();
}

void ListWatch::ended(Ending ending) {
    switch (ending) {
        case Ending::expired:
            list_again(listed_ ? Age::known : Age::now);
            break;
        case Ending::silent:
        case Ending::too_large:
            list_again(Age::now);
            break;
        case Ending::unsupported:
            if (listed_)
                list_again(Age::now);
            else
                narrow_ = false;
            continue_token_.clear();
            break;
        case Ending::closed:
        case Ending::unauthorized:
        case Ending::refused:
        case Ending::busy:
        case Ending::unreachable:
        case Ending::broken:
            continue_token_.clear();  // pages that were read are given up: the list begins anew
            break;
    }
}

}  // namespace api
