#include "proxy/node/reloading.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <time.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "proxy/config/reload.hpp"
#include "proxy/log/log.hpp"

namespace proxy {
namespace {

/// The time by which systemd knows which reload is meant (Type=notify-reload).
std::string reloading_text() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1'000);
}

void reload(const Config& running, const std::optional<Config>& fresh) {
    if (!fresh) {
        log::error("the configuration has mistakes, which stderr names: it changes nothing");
        return;
    }
    const std::vector<std::string> later = needs_restart(running, *fresh);
    log::configure(fresh->log_format, fresh->log_level);
    log::info("the configuration has been read again",
              {{"in_force", "log_level, log_format"},
               {"needs_restart", later.empty() ? "nothing" : fmt::format("{}", fmt::join(later, ", "))}});
}

}  // namespace

boost::asio::awaitable<void> reload_on_hangup(boost::asio::io_context& context, const NodeOptions& options,
                                              const ServiceManager& manager) {
    boost::asio::signal_set signals(context, SIGHUP);
    for (boost::system::error_code error; !error;) {
        co_await signals.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
        if (error || !options.read_again)
            continue;
        manager.tell(reloading_text());
        reload(options.config, options.read_again());
        manager.tell("READY=1");
    }
}

}  // namespace proxy
