#include "proxy/host/wanted_modules.hpp"

#include "netlink/capabilities.hpp"

namespace proxy {

std::vector<netlink::KernelModule> wanted_modules(const Config& config) {
    return {
        netlink::ipvs_module(config.ipvs_conn_tab_bits),
        {"ip_vs_" + config.scheduler, ""},
        {"nf_tables", ""},
        // Expressions and chains of our table (netlink/ruleset); inet's bring IPv4's and IPv6's with them.
        {"nft_chain_nat", ""},
        {"nft_counter", ""},  // inside nf_tables since Linux 5.17
        {"nft_ct", ""},
        {"nft_fib_inet", ""},
        {"nft_masq", ""},
        {"nft_nat", ""},
        {"nft_reject_inet", ""},
        {"nf_conntrack_netlink", ""},  // what connection tracking remembers is removed through it
        {"dummy", ""},                 // device podferry0
    };
}

}  // namespace proxy
