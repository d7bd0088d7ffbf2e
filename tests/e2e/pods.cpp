// The programs of many pods in one process: each pod is a network namespace in which this listens.
//     e2e-pods PORT
// reads "open NAME NAMESPACE" and "close NAME" from its standard input and answers each with "ok" or the reason why
// not. A TCP connection, once it has asked anything, and a UDP datagram are answered with "NAME ADDRESS-OF-THE-CLIENT".
// One that begins with HOLD is answered with NAME and kept: all that comes is echoed, until the pod is closed.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// What a descriptor is: a listener or a connection of the pod of that name.
struct Socket {
    enum Kind { input, listener, connection, held, datagrams } kind = input;
    std::string pod;
    std::string client;
};

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

std::string text(const sockaddr_in6& address) {
    char buffer[INET6_ADDRSTRLEN] = {};
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr))
        ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], buffer, sizeof(buffer));
    else
        ::inet_ntop(AF_INET6, &address.sin6_addr, buffer, sizeof(buffer));
    return buffer;
}

/// A socket made in that network namespace, bound to the port on all addresses of both families.
int socket_in(const std::string& space, int type, int port) {
    const int home = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const int there = ::open(("/run/netns/" + space).c_str(), O_RDONLY | O_CLOEXEC);
    if (there < 0 || ::setns(there, CLONE_NEWNET) != 0)
        fail(space);
    const int made = ::socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ::setns(home, CLONE_NEWNET);
    ::close(home);
    ::close(there);
    const int on = 1;
    const int off = 0;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ::setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (::bind(made, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
        fail("bind in " + space);
    if (type == SOCK_STREAM && ::listen(made, 512) != 0)
        fail("listen in " + space);
    return made;
}

class Pods {
public:
    explicit Pods(int port) : port_(port) { add(STDIN_FILENO, {}); }

    /// Until the standard input ends.
    void run() {
        epoll_event events[64];
        while (true) {
            const int count = ::epoll_wait(epoll_, events, 64, -1);
            for (int i = 0; i < count; ++i)
                if (!serve(events[i].data.fd))
                    return;
        }
    }

private:
    void add(int descriptor, Socket socket) {
        epoll_event event = {};
        event.events = EPOLLIN;
        event.data.fd = descriptor;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0)
            fail("epoll");
        sockets_[descriptor] = std::move(socket);
    }

    void remove(int descriptor) {
        ::close(descriptor);
        sockets_.erase(descriptor);
    }

    bool serve(int descriptor) {
        const auto found = sockets_.find(descriptor);
        if (found == sockets_.end())
            return true;  // closed by an earlier event of the same round
        switch (found->second.kind) {
            case Socket::input:
                return read_commands();
            case Socket::listener:
                accept(descriptor, found->second.pod);
                break;
            case Socket::connection:
                if (!answer(descriptor, found->second))
                    remove(descriptor);
                break;
            case Socket::held:
                if (!echo(descriptor))
                    remove(descriptor);
                break;
            case Socket::datagrams:
                answer_datagram(descriptor, found->second.pod);
                break;
        }
        return true;
    }

    void accept(int descriptor, const std::string& pod) {
        sockaddr_in6 client = {};
        socklen_t size = sizeof(client);
        const int made =
            ::accept4(descriptor, reinterpret_cast<sockaddr*>(&client), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (made >= 0)
            add(made, {Socket::connection, pod, text(client)});
    }

    /// Whether the connection is to be kept.
    static bool answer(int descriptor, Socket& socket) {
        char request[4096];
        const ssize_t size = ::recv(descriptor, request, sizeof(request), 0);
        if (size <= 0)
            return false;
        if (std::string_view(request, static_cast<std::size_t>(size)).starts_with("HOLD")) {
            const std::string name = socket.pod + "\n";
            ::send(descriptor, name.data(), name.size(), MSG_NOSIGNAL);
            socket.kind = Socket::held;
            return true;
        }
        const std::string body = socket.pod + " " + socket.client + "\n";
        const std::string all = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                                "\r\nConnection: close\r\n\r\n" + body;
        ::send(descriptor, all.data(), all.size(), MSG_NOSIGNAL);
        return false;
    }

    /// False when the other side has ended.
    static bool echo(int descriptor) {
        char data[4096];
        const ssize_t size = ::recv(descriptor, data, sizeof(data), 0);
        if (size > 0)
            ::send(descriptor, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
        return size > 0;
    }

    static void answer_datagram(int descriptor, const std::string& pod) {
        char request[4096];
        sockaddr_in6 client = {};
        socklen_t size = sizeof(client);
        if (::recvfrom(descriptor, request, sizeof(request), 0, reinterpret_cast<sockaddr*>(&client), &size) < 0)
            return;
        const std::string body = pod + " " + text(client) + "\n";
        ::sendto(descriptor, body.data(), body.size(), 0, reinterpret_cast<sockaddr*>(&client), size);
    }

    /// False when there will be no more.
    bool read_commands() {
        char part[4096];
        const ssize_t size = ::read(STDIN_FILENO, part, sizeof(part));
        if (size <= 0)
            return false;
        pending_.append(part, static_cast<std::size_t>(size));
        for (std::size_t end; (end = pending_.find('\n')) != std::string::npos; pending_.erase(0, end + 1))
            std::cout << obey(pending_.substr(0, end)) << std::endl;
        return true;
    }

    std::string obey(const std::string& line) {
        std::istringstream words(line);
        std::string verb, pod, space;
        words >> verb >> pod >> space;
        try {
            if (verb == "open")
                open(pod, space);
            else if (verb == "close")
                close(pod);
            else
                return "no such command";
            return "ok";
        } catch (const std::exception& error) {
            return error.what();
        }
    }

    void open(const std::string& pod, const std::string& space) {
        add(socket_in(space, SOCK_STREAM, port_), {Socket::listener, pod, {}});
        add(socket_in(space, SOCK_DGRAM, port_), {Socket::datagrams, pod, {}});
    }

    void close(const std::string& pod) {
        std::vector<int> its;
        for (const auto& [descriptor, socket] : sockets_)
            if (socket.kind != Socket::input && socket.pod == pod)
                its.push_back(descriptor);
        for (const int descriptor : its)
            remove(descriptor);
    }

    int port_;
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::map<int, Socket> sockets_;
    std::string pending_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: e2e-pods PORT\n";
        return 2;
    }
    Pods(std::stoi(argv[1])).run();
    return 0;
}
