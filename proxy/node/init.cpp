#include "proxy/node/init.hpp"

#include "base/error_words.hpp"
#include "netlink/capabilities.hpp"
#include "proxy/host/host_settings.hpp"
#include "proxy/host/preflight.hpp"
#include "proxy/host/wanted_modules.hpp"
#include "proxy/log/log.hpp"

namespace proxy {
namespace {

/// What was changed, for the log's last line.
struct Done {
    std::size_t changed = 0;
    std::size_t not_possible = 0;
};

void put(Done& done, const std::string& thing) {
    log::info("put in place", {{"what", thing}});
    ++done.changed;
}

/// What cannot be loaded is no reason to stop: it may be built in, and the kernel loads what it is asked for itself
/// where the host has modprobe. Whether it did, check_kernel() asks.
void load_modules(const Config& config, Done& done) {
    using enum netlink::ModuleResult::Outcome;
    const netlink::ModuleLoader loader;
    std::string left;
    std::string reason;
    for (const netlink::KernelModule& module : wanted_modules(config)) {
        netlink::ModuleResult came = loader.load(module);
        if (came.outcome == loaded)
            put(done, "module " + module.name);
        if (came.problem.empty())
            continue;
        left += (left.empty() ? "" : " ") + module.name;
        if (reason.empty())
            reason = std::move(came.problem);
    }
    if (!left.empty())
        log::info("modules left to the kernel: it may have them built in, or loads them when they are needed",
                  {{"modules", left}, {"the_first", reason}});
}

void set_sysctls(const Config& config, const std::string& folder, Done& done) {
    netlink::LinuxKernel kernel({});
    const auto settings = put_host_settings(config, kernel, folder);
    for (const std::string& thing : settings.done)
        put(done, thing);
    for (const std::string& problem : settings.problems)
        log::warning(problem);
    done.not_possible += settings.problems.size();
    log::info("the size of IPVS's connection table",
              {{"ipvs_connection_table", std::to_string(kernel.connection_table_size())}});
}

}  // namespace

int run_init(const NodeOptions& options, const InitOptions& init) {
    log::configure(options.config.log_format, options.config.log_level);
    try {
        for (const std::string& words : options.first_words)
            log::info(words);
        Done done;
        if (init.modules)
            load_modules(options.config, done);
        if (!passes(init.sysctls ? check_kernel(options.config)
                                 : Findings{netlink::missing_modules(options.config.ipvs_conn_tab_bits), {}}))
            return 1;
        if (init.sysctls)
            set_sysctls(options.config, init.proc_sys, done);
        log::info("this host is prepared; nothing runs on (--init-only)",
                  {{"changed", std::to_string(done.changed)}, {"not_possible", std::to_string(done.not_possible)}});
        return 0;
    } catch (const std::exception& error) {
        log::error(base::words_of(error));
        return 1;
    }
}

}  // namespace proxy
