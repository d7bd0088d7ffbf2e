#include "proxy/controller/status_writer.hpp"

#include <boost/asio/use_awaitable.hpp>

#include "proxy/sync/spawn.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Kind = WriteResult::Kind;

const api::RequestForm status_form{strategic_merge_patch, 20s};

/// A server that fails, or a gateway, may have written it all the same.
Kind kind_of(const api::ApiAnswer& answer) {
    if (answer.status / 100 == 2)
        return Kind::written;
    if (answer.status == 409 || answer.status == 404)
        return Kind::conflict;
    return answer.status / 100 == 4 ? Kind::refused : Kind::unknown;
}

}  // namespace

StatusWriter::StatusWriter(asio::io_context& context, const api::Access& access, const api::ApiHooks& hooks, Done done)
    : context_(context), done_(std::move(done)) {
    for (std::size_t i = 0; i < most_connections; ++i)
        idle_.push_back(std::make_unique<api::ApiClient>(context, access, hooks));
}

void StatusWriter::write(StatusWrite write) {
    queue_.push_back(std::move(write));
    if (idle_.empty())
        return;
    auto client = std::move(idle_.back());
    idle_.pop_back();
    spawn(context_, work(std::move(client)));
}

asio::awaitable<void> StatusWriter::work(std::unique_ptr<api::ApiClient> client) {
    while (!queue_.empty()) {
        StatusWrite next = std::move(queue_.front());
        queue_.pop_front();
        co_await perform(*client, std::move(next));
    }
    idle_.push_back(std::move(client));
}

/// After a conflict the Service is read again, so that it is known what it is now.
asio::awaitable<void> StatusWriter::perform(api::ApiClient& client, StatusWrite write) {
    const std::string path = service_path(write.service);
    auto answer = co_await client.request("PATCH", path + "/status",
                                          status_patch(write, std::chrono::system_clock::now()), status_form);
    if (!answer)
        co_return done_(write, {Kind::unknown, nullptr}, answer.error());
    WriteResult result{kind_of(*answer), nullptr};
    std::string why;
    if (result.kind == Kind::written)
        result.service = read_service(answer->body);
    else
        why = api::refusal_of(*answer);
    if (answer->status == 409) {
        const auto now = co_await client.request("GET", path, {}, status_form);
        if (now && now->fulfilled())
            result.service = read_service(now->body);
    }
    done_(write, std::move(result), why);
}

}  // namespace proxy
