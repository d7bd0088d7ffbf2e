#include "tests/support/states.hpp"

namespace testing {
namespace {

using namespace netlink;

std::string ipvsadm_key(const VirtualServer& server) {
    const char* option = server.protocol == Protocol::tcp   ? "-t "
                         : server.protocol == Protocol::udp ? "-u "
                                                            : "--sctp-service ";
    return option + endpoint_text(server.address, server.port);
}

const VirtualServerState* find(const KernelState& state, const VirtualServer& server) {
    const auto found = state.virtual_servers.find(server);
    return found == state.virtual_servers.end() ? nullptr : &found->second;
}

template <class Value, class Add, class Delete>
void add_differences(const std::set<Value>& desired, const std::set<Value>& actual, std::vector<Change>& changes) {
    for (const Value& value : desired)
        if (!actual.contains(value))
            changes.emplace_back(Add{value});
    for (const Value& value : actual)
        if (!desired.contains(value))
            changes.emplace_back(Delete{value});
}

}  // namespace

std::string to_text(const KernelState& state) {
    std::string text;
    for (const auto& [server, content] : state.virtual_servers) {
        text += "-A " + ipvsadm_key(server) + " -s " + content.settings.scheduler;
        if (content.settings.persistent)
            text += " -p " + std::to_string(content.settings.persistence_s);
        if (content.settings.scheduler_flags != 0)
            text += " -b " + std::to_string(content.settings.scheduler_flags);
        text += "\n";
        for (const auto& [real, weight] : content.real_servers)
            text += "-a " + ipvsadm_key(server) + " -r " + endpoint_text(real.address, real.port) + " -m -w " +
                    std::to_string(weight) + "\n";
    }
    for (const LocalRoute& route : state.routes)
        text += "local " + route.address.to_string() + "\n";
    for (const Element& element : state.elements)
        text += to_string(element) + "\n";
    return text;
}

std::vector<Change> difference(const KernelState& desired, const KernelState& actual) {
    std::vector<Change> changes;
    std::map<VirtualServer, VirtualServerState> all = desired.virtual_servers;
    all.insert(actual.virtual_servers.begin(), actual.virtual_servers.end());
    for (const auto& [server, state] : all)
        diff_virtual_server(server, find(desired, server), find(actual, server), changes);
    add_differences<LocalRoute, AddRoute, DeleteRoute>(desired.routes, actual.routes, changes);
    add_differences<Element, AddElement, DeleteElement>(desired.elements, actual.elements, changes);
    order(changes);
    return changes;
}

}  // namespace testing
