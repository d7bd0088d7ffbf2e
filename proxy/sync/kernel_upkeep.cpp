#include "proxy/sync/kernel_upkeep.hpp"

#include <iterator>
#include <utility>

#include "base/file.hpp"
#include "proxy/host/host_settings.hpp"
#include "proxy/host/limits.hpp"
#include "proxy/log/log.hpp"
#include "proxy/serve/metric_labels.hpp"

namespace proxy {

netlink::LinuxKernel::Prepared KernelUpkeep::prepare() {
    auto prepared = kernel_.prepare(host_changed_);
    auto settings = put_host_settings(config_, kernel_);
    problems_ = prepared.problems;
    read_only_ = std::move(settings.read_only);
    std::move(settings.problems.begin(), settings.problems.end(), std::back_inserter(problems_));
    std::move(settings.done.begin(), settings.done.end(), std::back_inserter(prepared.done));
    return prepared;
}

bool KernelUpkeep::put_back() {
    const auto prepared = prepare();
    for (const std::string& thing : prepared.followed)
        log::info("changed to follow the host", {{"what", thing}});
    for (const std::string& thing : prepared.done) {
        log::warning("drift detected, put back", {{"what", thing}});
        metrics_.drift_repairs.Add({{"object", drift_label(thing)}}).Increment();
        ++drift_repairs_;
    }
    if (prepared.ipvs_renewed)
        log::warning("IPVS has been loaded anew, and has lost all virtual servers; they are programmed again");
    return prepared.ipvs_renewed || !prepared.done.empty() || host_changed_;
}

void KernelUpkeep::account(const Drift& drift) {
    const std::pair<const char*, std::size_t> counts[] = {{"virtual_server", drift.virtual_servers},
                                                          {"real_server", drift.real_servers},
                                                          {"route", drift.routes},
                                                          {"element", drift.elements}};
    for (const auto& [object, count] : counts)
        if (count > 0)
            metrics_.drift_repairs.Add({{"object", object}}).Increment(static_cast<double>(count));
    if (drift.total() == 0)
        return;
    drift_repairs_ += drift.total();
    log::warning("drift detected, repairing", {{"virtual_servers", std::to_string(drift.virtual_servers)},
                                               {"real_servers", std::to_string(drift.real_servers)},
                                               {"routes", std::to_string(drift.routes)},
                                               {"elements", std::to_string(drift.elements)}});
}

void KernelUpkeep::count_connections() {
    const std::uint64_t connections = kernel_.exchange_connections_seen();
    const std::uint32_t lists = kernel_.connection_table_size();
    metrics_.ipvs_connections.Set(static_cast<double>(connections));
    metrics_.ipvs_connection_table_size.Set(static_cast<double>(lists));
    const bool grows = base::read_file("/proc/sys/net/ipv4/vs/conn_lfactor").has_value();
    table_problem_ = table_too_small(connections, lists, grows);
}

std::vector<std::string> KernelUpkeep::problems() const {
    std::vector<std::string> all = problems_;
    if (table_problem_)
        all.push_back(*table_problem_);
    return all;
}

}  // namespace proxy
