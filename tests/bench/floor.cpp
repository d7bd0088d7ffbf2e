// The floor: the same kernel objects as podferry makes at a full start, programmed as fast as the kernel takes them.
// Nothing is computed while the clock runs; messages are packed into 64 KiB with the ACK on the last one. Shares no
// code with podferry. Expects the device podferry0, a table with podferry's sets, and the address 192.168.50.10, the
// routes' source (bench.py makes them).
//     bench-floor SERVICES PODS
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<char>;

[[noreturn]] void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

struct Writer {
    Bytes bytes;
    std::size_t message = 0;

    void* add(std::size_t size) {
        const std::size_t at = bytes.size();
        bytes.resize(at + NLMSG_ALIGN(size));
        return bytes.data() + at;
    }
    void begin(int type, int flags) {
        message = bytes.size();
        auto* header = static_cast<nlmsghdr*>(add(sizeof(nlmsghdr)));
        header->nlmsg_type = static_cast<__u16>(type);
        header->nlmsg_flags = static_cast<__u16>(flags | NLM_F_REQUEST);
    }
    void end() {
        reinterpret_cast<nlmsghdr*>(bytes.data() + message)->nlmsg_len = static_cast<__u32>(bytes.size() - message);
    }
    void put(int type, const void* data, std::size_t size) {
        auto* attribute = static_cast<nlattr*>(add(NLA_HDRLEN + size));
        attribute->nla_type = static_cast<__u16>(type);
        attribute->nla_len = static_cast<__u16>(NLA_HDRLEN + size);
        std::memcpy(reinterpret_cast<char*>(attribute) + NLA_HDRLEN, data, size);
    }
    void put16(int type, std::uint16_t value) { put(type, &value, sizeof(value)); }
    void put32(int type, std::uint32_t value) { put(type, &value, sizeof(value)); }
    void text(int type, const char* value) { put(type, value, std::strlen(value) + 1); }
    std::size_t nest(int type) {
        const std::size_t at = bytes.size();
        static_cast<nlattr*>(add(NLA_HDRLEN))->nla_type = static_cast<__u16>(type | NLA_F_NESTED);
        return at;
    }
    void end_nest(std::size_t at) {
        reinterpret_cast<nlattr*>(bytes.data() + at)->nla_len = static_cast<__u16>(bytes.size() - at);
    }
};

struct Socket {
    int descriptor;
    explicit Socket(int protocol) : descriptor(::socket(AF_NETLINK, SOCK_RAW, protocol)) {
        const int size = 64 * 1024 * 1024;
        const int on = 1;
        ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
        ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        ::setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    }
    ~Socket() { ::close(descriptor); }
    void send(const char* data, std::size_t size) const {
        if (::send(descriptor, data, size, 0) < 0)
            die("send");
    }
    /// Everything that was answered; any error ends the program.
    void answers() const {
        static char buffer[1024 * 1024];
        const ssize_t size = ::recv(descriptor, buffer, sizeof(buffer), 0);
        auto left = static_cast<__u32>(size < 0 ? 0 : size);
        for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left))
            if (header->nlmsg_type == NLMSG_ERROR) {
                errno = -static_cast<nlmsgerr*>(NLMSG_DATA(header))->error;
                if (errno != 0)
                    die("the kernel refuses");
            }
    }
};

/// Cuts into sends of at most 64 KiB, with an ACK at the end of each.
double send_packed(const Socket& socket, Bytes& bytes) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t from = 0; from < bytes.size();) {
        std::size_t to = from;
        std::size_t last = from;
        while (to < bytes.size()) {
            const auto length = NLMSG_ALIGN(reinterpret_cast<nlmsghdr*>(bytes.data() + to)->nlmsg_len);
            if (to + length - from > 64 * 1024)
                break;
            last = to;
            to += length;
        }
        reinterpret_cast<nlmsghdr*>(bytes.data() + last)->nlmsg_flags |= NLM_F_ACK;
        socket.send(bytes.data() + from, to - from);
        socket.answers();
        from = to;
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::uint32_t service_address(int service) {
    return htonl((10U << 24) + (100U << 16) + 256U + static_cast<std::uint32_t>(service));
}
std::uint32_t pod_address(int service, int pod) {
    return htonl((10U << 24) + (1U << 16) + 256U + static_cast<std::uint32_t>(service * 5 + pod) % 60000U);
}

int ipvs_family() {
    const Socket socket(NETLINK_GENERIC);
    Writer w;
    w.begin(GENL_ID_CTRL, 0);
    auto* header = static_cast<genlmsghdr*>(w.add(sizeof(genlmsghdr)));
    header->cmd = CTRL_CMD_GETFAMILY;
    header->version = 1;
    w.text(CTRL_ATTR_FAMILY_NAME, "IPVS");
    w.end();
    socket.send(w.bytes.data(), w.bytes.size());
    alignas(nlmsghdr) char buffer[8192];
    const ssize_t size = ::recv(socket.descriptor, buffer, sizeof(buffer), 0);
    for (ssize_t at = NLMSG_HDRLEN + static_cast<ssize_t>(sizeof(genlmsghdr)); at < size;) {
        const auto* attribute = reinterpret_cast<const nlattr*>(buffer + at);
        if (attribute->nla_type == CTRL_ATTR_FAMILY_ID)
            return *reinterpret_cast<const std::uint16_t*>(buffer + at + NLA_HDRLEN);
        at += NLA_ALIGN(attribute->nla_len);
    }
    die("no IPVS");
}

void begin_ipvs(Writer& w, int family, int command, int service) {
    w.begin(family, 0);
    auto* header = static_cast<genlmsghdr*>(w.add(sizeof(genlmsghdr)));
    header->cmd = static_cast<__u8>(command);
    header->version = IPVS_GENL_VERSION;
    const std::uint32_t address[4] = {service_address(service), 0, 0, 0};
    const std::size_t nest = w.nest(IPVS_CMD_ATTR_SERVICE);
    w.put16(IPVS_SVC_ATTR_AF, AF_INET);
    w.put16(IPVS_SVC_ATTR_PROTOCOL, IPPROTO_TCP);
    w.put(IPVS_SVC_ATTR_ADDR, address, sizeof(address));
    w.put16(IPVS_SVC_ATTR_PORT, htons(80));
    if (command == IPVS_CMD_NEW_SERVICE) {
        const ip_vs_flags flags{0, ~0U};
        w.text(IPVS_SVC_ATTR_SCHED_NAME, "rr");
        w.put(IPVS_SVC_ATTR_FLAGS, &flags, sizeof(flags));
        w.put32(IPVS_SVC_ATTR_TIMEOUT, 0);
        w.put32(IPVS_SVC_ATTR_NETMASK, 0xffffffff);
    }
    w.end_nest(nest);
}

Bytes ipvs_messages(int services, int pods) {
    Writer w;
    const int family = ipvs_family();
    for (int s = 0; s < services; ++s) {
        begin_ipvs(w, family, IPVS_CMD_NEW_SERVICE, s);
        w.end();
    }
    for (int s = 0; s < services; ++s)
        for (int p = 0; p < pods; ++p) {
            begin_ipvs(w, family, IPVS_CMD_NEW_DEST, s);
            const std::uint32_t address[4] = {pod_address(s, p), 0, 0, 0};
            const std::size_t nest = w.nest(IPVS_CMD_ATTR_DEST);
            w.put(IPVS_DEST_ATTR_ADDR, address, sizeof(address));
            w.put16(IPVS_DEST_ATTR_ADDR_FAMILY, AF_INET);
            w.put16(IPVS_DEST_ATTR_PORT, htons(8080));
            w.put32(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ);
            w.put32(IPVS_DEST_ATTR_WEIGHT, 1);
            w.put32(IPVS_DEST_ATTR_U_THRESH, 0);
            w.put32(IPVS_DEST_ATTR_L_THRESH, 0);
            w.end_nest(nest);
            w.end();
        }
    return std::move(w.bytes);
}

Bytes route_messages(int services) {
    Writer w;
    const auto device = ::if_nametoindex("podferry0");
    for (int s = 0; s < services; ++s) {
        w.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
        auto* route = static_cast<rtmsg*>(w.add(sizeof(rtmsg)));
        *route = {};
        route->rtm_family = AF_INET;
        route->rtm_dst_len = 32;
        route->rtm_table = RT_TABLE_LOCAL;
        route->rtm_protocol = 159;
        route->rtm_scope = RT_SCOPE_HOST;
        route->rtm_type = RTN_LOCAL;
        w.put32(RTA_DST, service_address(s));
        w.put32(RTA_OIF, device);
        w.put32(RTA_PREFSRC, htonl((192U << 24) + (168U << 16) + (50U << 8) + 10U));
        w.end();
    }
    return std::move(w.bytes);
}

void nfnetlink(Writer& w, int type, int flags, int family, int resource) {
    w.begin(type, flags);
    auto* header = static_cast<nfgenmsg*>(w.add(sizeof(nfgenmsg)));
    header->nfgen_family = static_cast<__u8>(family);
    header->version = NFNETLINK_V0;
    header->res_id = htons(static_cast<std::uint16_t>(resource));
}

Bytes element_messages(int services) {
    Writer w;
    nfnetlink(w, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    w.end();
    constexpr int parcel = 500;
    for (const char* set : {"served4", "cluster4", "virtual_address4"})
        for (int from = 0; from < services; from += parcel) {
            nfnetlink(w, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWSETELEM, NLM_F_CREATE, NFPROTO_INET, 0);
            w.text(NFTA_SET_ELEM_LIST_TABLE, "podferry");
            w.text(NFTA_SET_ELEM_LIST_SET, set);
            const std::size_t list = w.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
            for (int s = from; s < from + parcel && s < services; ++s) {
                const std::uint32_t key[3] = {service_address(s), IPPROTO_TCP, htons(80)};
                const std::size_t item = w.nest(NFTA_LIST_ELEM);
                const std::size_t value = w.nest(NFTA_SET_ELEM_KEY);
                w.put(NFTA_DATA_VALUE, key, set[0] == 'v' ? 4 : 12);
                w.end_nest(value);
                w.end_nest(item);
            }
            w.end_nest(list);
            w.end();
        }
    nfnetlink(w, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    w.end();
    return std::move(w.bytes);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: bench-floor SERVICES PODS\n", stderr);
        return 2;
    }
    const int services = std::atoi(argv[1]);
    Bytes ipvs = ipvs_messages(services, std::atoi(argv[2]));
    Bytes routes = route_messages(services);
    const Bytes elements = element_messages(services);
    const auto start = std::chrono::steady_clock::now();
    const Socket nft(NETLINK_NETFILTER);
    nft.send(elements.data(), elements.size());
    const timeval soon{0, 1};  // nothing is answered when all is well
    ::setsockopt(nft.descriptor, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    nft.answers();
    const double elements_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double ipvs_s = send_packed(Socket(NETLINK_GENERIC), ipvs);
    const double routes_s = send_packed(Socket(NETLINK_ROUTE), routes);
    std::printf("elements %.4f ipvs %.4f routes %.4f total %.4f\n", elements_s, ipvs_s, routes_s,
                elements_s + ipvs_s + routes_s);
    return 0;
}
