#include "proxy/serve/page.hpp"

#include <algorithm>

namespace proxy {
namespace {

namespace asio = boost::asio;

int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool encoded =
            text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
        if (encoded) {
            decoded += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            decoded += text[i] == '+' ? ' ' : text[i];
        }
    }
    return decoded;
}

asio::awaitable<std::optional<Reply>> page_for(PageRequest request, const Pages& pages) {
    if (request.method != "GET" && request.method != "HEAD")
        co_return Reply{405, "text/plain", "only GET and HEAD are answered here\n"};
    const auto page = pages.find(request.path);
    if (page == pages.end()) {
        std::string body = "no such page; there are:\n";
        for (const auto& [name, make] : pages)
            body += "  " + name + "\n";
        co_return Reply{404, "text/plain; charset=utf-8", body};
    }
    co_return co_await page->second.reply(std::move(request));
}

asio::awaitable<std::optional<Reply>> at_once(std::optional<Reply> reply) {
    co_return reply;
}

}  // namespace

PageRequest parse_target(std::string_view method, std::string_view target) {
    PageRequest request;
    request.method = method;
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    std::string_view rest = target.substr(std::min(mark + 1, target.size()));
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (!pair.empty())
            request.query[decode(pair.substr(0, equals))] = decode(pair.substr(std::min(equals + 1, pair.size())));
    }
    return request;
}

Handler handler_of(const Pages& pages) {
    return [&pages](PageRequest request) { return page_for(std::move(request), pages); };
}

Handler handler_of(std::function<std::optional<Reply>()> answer) {
    return [answer = std::move(answer)](const PageRequest&) { return at_once(answer()); };
}

}  // namespace proxy
