// Holds the unit ring's fake kernel against the real one: each row of the table is done to both, and both have to
// refuse the same with the same error, and to be in the same state afterwards. Run it in a network namespace of its
// own.
//     lab-contract        prints a line for each row; status 1 when one differs
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "netlink/linux_kernel.hpp"
#include "tests/support/fake_kernel.hpp"
#include "tests/support/states.hpp"

namespace {

using namespace netlink;

Address ip(const char* text) {
    return base::make_address(text);
}

const VirtualServer web{ip("10.96.0.5"), Protocol::tcp, 80};
const VirtualServer dns{ip("10.96.0.10"), Protocol::udp, 53};
const VirtualServer web6{ip("fd00:96::5"), Protocol::tcp, 80};
const VirtualServer marked{ip("0.0.0.0"), Protocol::none, 0, 0x50460001};
const VirtualServer marked6{ip("::"), Protocol::none, 0, 0x50460001};
const RealServer pod1{ip("10.1.0.11"), 8080};
const RealServer pod2{ip("10.1.0.12"), 8080};
const RealServer pod6{ip("fd00:1::11"), 8080};
const VirtualServerSettings plain;
const VirtualServerSettings sticky{"rr", true, 600};

struct Row {
    const char* what;
    std::vector<Change> before;  // taken by both
    Change change;
};

std::vector<Element> one_of_each_set() {
    std::vector<Element> elements;
    for (const char* address : {"10.96.0.5", "fd00:96::5"}) {
        for (const Set set : {Set::served, Set::masquerade, Set::cluster, Set::firewalled})
            elements.push_back({set, ip(address), Protocol::udp, 65535});
        for (const Set set : {Set::virtual_address, Set::hairpin, Set::node_address})
            elements.push_back({set, ip(address), Protocol::none, 0});
        elements.push_back({Set::internal_mark, ip(address), Protocol::tcp, 80, 0x50460001});
        const auto all = std::make_shared<base::Prefix>(base::Prefix{ip(address), ip(address).bits()});
        elements.push_back({Set::allowed, ip(address), Protocol::tcp, 80, 0, all});
    }
    elements.push_back({Set::node_port, {}, Protocol::sctp, 30000});
    elements.push_back({Set::outside_node_port_mark, {}, Protocol::sctp, 30000, 0x5046ffff});
    elements.push_back({Set::mark, {}, Protocol::none, 0, 0x50460001});
    return elements;
}

std::vector<Row> table() {
    std::vector<Row> rows = {
        {"a virtual server", {}, AddVirtualServer{web, plain}},
        {"one that is there", {AddVirtualServer{web, plain}}, AddVirtualServer{web, sticky}},
        {"the same port of another protocol",
         {AddVirtualServer{dns, plain}},
         AddVirtualServer{{dns.address, Protocol::tcp, 53}, plain}},
        {"an SCTP one", {}, AddVirtualServer{{web.address, Protocol::sctp, 80}, plain}},
        {"one with a mark", {}, AddVirtualServer{marked, plain}},
        {"the same mark in the other family", {AddVirtualServer{marked, plain}}, AddVirtualServer{marked6, sticky}},
        {"a mark's real server", {AddVirtualServer{marked, plain}}, AddRealServer{marked, pod1, 1}},
        {"a removal of one with a mark", {AddVirtualServer{marked, plain}}, DeleteVirtualServer{marked}},
        {"an IPv6 one with persistence", {}, AddVirtualServer{web6, sticky}},
        {"persistence switched on", {AddVirtualServer{web, plain}}, EditVirtualServer{web, sticky}},
        {"persistence switched off", {AddVirtualServer{web, sticky}}, EditVirtualServer{web, plain}},
        {"another scheduler", {AddVirtualServer{web, plain}}, EditVirtualServer{web, {"wrr", false, 0}}},
        {"a scheduler with flags", {}, AddVirtualServer{web, {"mh", false, 0, 0x18}}},
        {"flags and persistence", {}, AddVirtualServer{web6, {"sh", true, 600, 0x08}}},
        {"other flags",
         {AddVirtualServer{web, {"mh", false, 0, 0x18}}},
         EditVirtualServer{web, {"mh", false, 0, 0x08}}},
        {"no flags any more", {AddVirtualServer{web, {"mh", false, 0, 0x38}}}, EditVirtualServer{web, plain}},
        {"a scheduler that the kernel lacks", {}, AddVirtualServer{web, {"twos", false, 0}}},
        {"such a scheduler later", {AddVirtualServer{web, plain}}, EditVirtualServer{web, {"twos", false, 0}}},
        {"an edit of one that is not there", {}, EditVirtualServer{web, plain}},
        {"a removal", {AddVirtualServer{web, plain}, AddRealServer{web, pod1, 1}}, DeleteVirtualServer{web}},
        {"a removal of one that is not there", {}, DeleteVirtualServer{web}},
        {"a real server", {AddVirtualServer{web, plain}}, AddRealServer{web, pod1, 1}},
        {"one of weight 0", {AddVirtualServer{web, plain}}, AddRealServer{web, pod1, 0}},
        {"one of weight -1", {AddVirtualServer{web, plain}}, AddRealServer{web, pod1, -1}},
        {"one that is there", {AddVirtualServer{web, plain}, AddRealServer{web, pod1, 1}}, AddRealServer{web, pod1, 2}},
        {"one of no virtual server", {}, AddRealServer{web, pod1, 1}},
        {"an IPv6 one", {AddVirtualServer{web6, plain}}, AddRealServer{web6, pod6, 1}},
        {"a second one", {AddVirtualServer{web, plain}, AddRealServer{web, pod1, 1}}, AddRealServer{web, pod2, 5}},
        {"another weight", {AddVirtualServer{web, plain}, AddRealServer{web, pod1, 1}}, EditRealServer{web, pod1, 0}},
        {"a weight of one that is not there", {AddVirtualServer{web, plain}}, EditRealServer{web, pod1, 0}},
        {"a weight of no virtual server's", {}, EditRealServer{web, pod1, 0}},
        {"a real server goes",
         {AddVirtualServer{web, plain}, AddRealServer{web, pod1, 1}},
         DeleteRealServer{web, pod1}},
        {"one goes that is not there", {AddVirtualServer{web, plain}}, DeleteRealServer{web, pod1}},
        {"one goes of no virtual server", {}, DeleteRealServer{web, pod1}},
        {"one comes back",
         {AddVirtualServer{web, plain}, AddRealServer{web, pod1, 1}, DeleteRealServer{web, pod1}},
         AddRealServer{web, pod1, 1}},
    };
    for (const Address& address : {web.address, web6.address}) {
        rows.push_back({"a route", {}, AddRoute{{address}}});
        rows.push_back({"a route that is there", {AddRoute{{address}}}, AddRoute{{address}}});
        rows.push_back({"a route goes", {AddRoute{{address}}}, DeleteRoute{{address}}});
        rows.push_back({"a route goes that is not there", {}, DeleteRoute{{address}}});
    }
    for (const Element& element : one_of_each_set()) {
        rows.push_back({"an element", {}, AddElement{element}});
        rows.push_back({"an element that is there", {AddElement{element}}, AddElement{element}});
        rows.push_back({"an element goes", {AddElement{element}}, DeleteElement{element}});
        rows.push_back({"an element goes that is not there", {}, DeleteElement{element}});
    }
    return rows;
}

KernelState state_of(Kernel& kernel) {
    KernelState state = kernel.read();
    for (auto& [server, content] : state.virtual_servers)
        content.real_servers = kernel.read_real_servers(std::span(&server, 1)).front();
    return state;
}

/// The listing has what is there; only virtual servers with a mark or an affinity may be missing.
bool listing_agrees(Kernel& kernel, const KernelState& state) {
    const auto listing = kernel.list();
    if (!listing)
        return false;
    std::set<VirtualServer> listed;
    for (auto part = listing->next(1); !part.empty(); part = listing->next(1))
        for (const ListedServer& each : part) {
            const auto found = state.virtual_servers.find(each.server);
            if (found == state.virtual_servers.end() || found->second.real_servers != each.real_servers)
                return false;
            listed.insert(each.server);
        }
    return std::ranges::all_of(state.virtual_servers, [&](const auto& entry) {
        return entry.first.mark != 0 || entry.second.settings.persistent || listed.contains(entry.first);
    });
}

/// The row's error and the state after it; what it made is gone again afterwards.
std::string outcome(Kernel& kernel, const Row& row) {
    for (const Refusal& refusal : kernel.apply(row.before))
        return "before the row, " + to_string(row.before[refusal.index]) + ": " + refusal.error.message() + "\n";
    const auto refusals = kernel.apply(std::span(&row.change, 1));
    std::string text = refusals.empty() ? "taken" : std::strerror(refusals[0].error.value());
    const KernelState state = state_of(kernel);
    text += "\n" + testing::to_text(state);
    if (!listing_agrees(kernel, state))
        text += "and the listing says otherwise\n";
    if (!kernel.apply(testing::difference({}, state)).empty() || state_of(kernel) != KernelState{})
        text += "and what was made cannot be removed\n";
    return text;
}

/// kube-proxy's ipsets hold 65,536 entries; a set of ours has no such limit. Also what is read back, and taken away.
bool takes_large_sets(Kernel& kernel) {
    constexpr std::uint32_t count = 65'537;
    std::vector<Change> add;
    std::vector<Change> remove;
    std::set<Element> elements;
    for (std::uint32_t i = 0; i < count; ++i) {
        const Element element{Set::served, base::Address::v4(0x0ac80000 + (i >> 4)), Protocol::tcp,
                              static_cast<std::uint16_t>(1000 + (i & 15))};
        elements.insert(element);
        add.emplace_back(AddElement{element});
        remove.emplace_back(DeleteElement{element});
    }
    const bool taken = elements.size() == count && kernel.apply(add).empty() && kernel.read().elements == elements;
    return kernel.apply(remove).empty() && kernel.read() == KernelState{} && taken;
}

}  // namespace

int main() {
    LinuxKernel real({});
    real.prepare();
    testing::FakeKernel fake;
    fake.lists = true;
    int differences = 0;
    for (const Row& row : table()) {
        const std::string expected = outcome(fake, row);
        const std::string found = outcome(real, row);
        std::printf("%-9s %s: %s: %s\n", expected == found ? "ok" : "DIFFERENT", row.what,
                    to_string(row.change).c_str(), found.substr(0, found.find('\n')).c_str());
        if (expected != found)
            std::printf("the fake says:\n%sthe kernel says:\n%s", expected.c_str(), found.c_str());
        differences += expected != found ? 1 : 0;
    }
    const bool large = takes_large_sets(real);
    std::printf("%-9s a set of 65,537 elements\n", large ? "ok" : "DIFFERENT");
    return differences > 0 || !large ? 1 : 0;
}
