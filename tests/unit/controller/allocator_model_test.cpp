// Several controllers, one API server, and everything that can go wrong between them, at random: never do two Services
// have an address that they may not share, and none is lost. Time plays no part: a Lease may be taken at any moment,
// and a write may arrive long after that.
#include <catch2/catch.hpp>

#include <deque>
#include <random>

#include "controller_world.hpp"
#include "proxy/controller/allocation_rounds.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using world::make;

namespace {

using Time = AddressAllocator::Time;

/// What the API server stores. Every write has a version of its own.
struct Server {
    struct Change {
        std::uint64_t version = 0;
        BalancedServicePtr service;
        bool gone = false;
    };
    struct Lease {
        std::uint64_t version = 0;
        int holder = -1;
        std::string reservations;
    };

    std::map<api::ObjectName, BalancedServicePtr> services;
    std::vector<Change> log;
    Lease lease;
    std::uint64_t version = 1;
    int uids = 0;

    void store(api::BalancedService service) {
        service.version = std::to_string(++version);
        auto stored = std::make_shared<const api::BalancedService>(std::move(service));
        services[stored->name] = stored;
        log.push_back({version, stored, false});
    }
    void remove(const api::ObjectName& name) {
        api::BalancedService last = *services.at(name);
        last.version = std::to_string(++version);
        log.push_back({version, std::make_shared<const api::BalancedService>(std::move(last)), true});
        services.erase(name);
    }
    /// The words that a Service's version makes of a status write.
    bool patch(const StatusWrite& write) {
        const auto found = services.find(write.service);
        if (found == services.end() || found->second->version != write.version)
            return false;
        api::BalancedService service = *found->second;
        service.ingress = write.ingress;
        service.condition = write.condition;
        for (const base::Address& address : addresses_of(service.ingress))
            for (const auto& [name, other] : services)
                if (name != write.service && has(*other, address))
                    check_shared(service, *other);
        store(std::move(service));
        return true;
    }
    bool put_lease(std::uint64_t expected, int holder, std::string reservations) {
        if (lease.version != expected)
            return false;
        lease = {++version, holder, std::move(reservations)};
        return true;
    }

    static bool has(const api::BalancedService& service, const base::Address& address) {
        const auto all = addresses_of(service.ingress);
        return std::find(all.begin(), all.end(), address) != all.end();
    }
    static void check_shared(const api::BalancedService& one, const api::BalancedService& other) {
        const PoolConfig config;
        const std::string why = why_not_shared(use_of(one, request_of(one, config).sharing_key, true),
                                               use_of(other, request_of(other, config).sharing_key, true));
        INFO(to_string(one.name) << " and " << to_string(other.name) << ": " << why);
        REQUIRE(why.empty());
    }
};

struct Controller {
    int life = 0;  // answers to an earlier one are nobody's
    bool leading = false;
    bool listed = false;
    bool busy_with_lease = false;
    std::uint64_t lease_version = 0;
    std::size_t seen = 0;  // of the server's log
    std::unique_ptr<AddressAllocator> allocator;
    std::unique_ptr<AllocationRounds> rounds;
};

/// A request on its way to the server, or its answer on its way back.
struct Message {
    enum class Kind { acquire, reserve, patch, list } kind = Kind::patch;
    int from = 0;
    int life = 0;
    bool answer = false;
    bool worked = false;
    std::uint64_t lease_version = 0;
    std::string reservations;
    std::optional<StatusWrite> write;
    BalancedServicePtr service;
    std::vector<BalancedServicePtr> list;
    std::size_t seen = 0;
};

class Model {
public:
    explicit Model(unsigned seed) : random_(seed) {
        controllers_.resize(3);
        for (std::size_t i = 0; i < controllers_.size(); ++i)
            start(static_cast<int>(i));
    }

    void step() {
        switch (pick(12)) {
            case 0:
            case 1:
                return people();
            case 2:
                return trouble();
            case 3:
            case 4:
            case 5:
            case 6:
                return deliver();
            default:
                return work(pick(static_cast<int>(controllers_.size())));
        }
    }

    /// No more trouble: everything that can be said and done is.
    void settle() {
        for (Controller& controller : controllers_)
            controller.allocator->configure(config_);
        for (int round = 0; round < 2000; ++round) {
            now_ += 1s;
            while (!network_.empty())
                handle(take(0));
            const int leader = server_.lease.holder;
            const bool led = leader >= 0 && controllers_[static_cast<std::size_t>(leader)].leading;
            work(led ? leader : 0);
            if (network_.empty() && led && settled(controllers_[static_cast<std::size_t>(leader)]))
                return;
        }
        FAIL("it does not come to rest");
    }

    void check() const {
        const AddressAllocator& allocator = *controllers_[static_cast<std::size_t>(server_.lease.holder)].allocator;
        CHECK(allocator.reservations().empty());
        std::set<base::Address> used;
        std::size_t without = 0;
        for (const auto& [name, service] : server_.services) {
            const auto addresses = addresses_of(service->ingress);
            std::copy_if(addresses.begin(), addresses.end(), std::inserter(used, used.end()),
                         [&](const base::Address& address) { return config_.pool_of(address) != nullptr; });
            CHECK((service->is_balancer || addresses.empty()));
            const bool any = request_of(*service, config_).addresses.empty();
            without += service->is_balancer && any && addresses.empty() ? 1 : 0;
        }
        CHECK(allocator.ledger().used_of(config_.pools[0], api::Family::ipv4) == used.size());
        if (without > 0)  // nobody goes without as long as there is one
            CHECK(used.size() == config_.pools[0].size(api::Family::ipv4));
    }

private:
    int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

    void start(int index) {
        Controller& controller = controllers_[static_cast<std::size_t>(index)];
        const int life = controller.life + 1;
        controller = {};
        controller.life = life;
        controller.allocator = std::make_unique<AddressAllocator>();
        controller.allocator->configure(config_);
        controller.rounds = std::make_unique<AllocationRounds>(*controller.allocator);
    }

    bool settled(const Controller& controller) const {
        return controller.listed && controller.seen == server_.log.size() && controller.allocator->is_idle() &&
               !controller.rounds->wants_lease() && !controller.rounds->has_ready();
    }

    // ---- people and others -------------------------------------------------------------------------------------

    void people() {
        const api::ObjectName name{"shop", "s" + std::to_string(pick(14))};
        const auto found = server_.services.find(name);
        if (found == server_.services.end())
            return create(name);
        api::BalancedService service = *found->second;
        switch (pick(6)) {
            case 0:
                return server_.remove(name);
            case 1:  // the server itself takes the status away, or an old one does not
                service.is_balancer = !service.is_balancer;
                if (pick(2) == 0 && !service.is_balancer)
                    service.ingress.clear();
                return server_.store(std::move(service));
            case 2:
                service.wanted_ip = pick(2) == 0 ? "" : "192.0.2." + std::to_string(1 + pick(9));
                return server_.store(std::move(service));
            case 3:
                service.ingress.clear();  // by hand
                return server_.store(std::move(service));
            default:
                return server_.store(std::move(service));  // somebody writes something else
        }
    }

    void create(const api::ObjectName& name) {
        api::BalancedService service = make(name.name);
        service.uid = std::to_string(++server_.uids);
        service.created = std::chrono::sys_seconds(std::chrono::seconds(server_.uids));
        service.backend.ports = {{api::Protocol::tcp, static_cast<std::uint16_t>(80 + pick(3))}};
        if (pick(3) == 0)
            service.annotations["podferry.io/allow-shared-ip"] = pick(2) == 0 ? "a" : "b";
        if (pick(5) == 0)
            service.wanted_ip = "192.0.2." + std::to_string(1 + pick(9));
        server_.store(std::move(service));
    }

    void trouble() {
        const int victim = pick(static_cast<int>(controllers_.size()));
        switch (pick(5)) {
            case 0:
                return start(victim);  // killed; what it has sent is on its way
            case 1:
                if (!network_.empty())
                    lose(take(pick(static_cast<int>(network_.size()))));
                return;
            case 2:
                return give_up();
            case 3:  // its ConfigMap is another one
                return controllers_[static_cast<std::size_t>(victim)].allocator->configure(pick(2) == 0 ? config_
                                                                                                        : other_);
            default:
                now_ += 1s * pick(20);
        }
    }

    // ---- the network -------------------------------------------------------------------------------------------

    Message take(int at) {
        Message message = std::move(network_[static_cast<std::size_t>(at)]);
        network_.erase(network_.begin() + at);
        return message;
    }

    /// In any order.
    void deliver() {
        if (!network_.empty())
            handle(take(pick(static_cast<int>(network_.size()))));
    }

    /// The one who waits hears that there is no answer.
    void lose(Message message) {
        message.answer = true;
        answer(message, true);
    }

    /// Somebody waits no longer for a message, which is on its way all the same.
    void give_up() {
        if (network_.empty())
            return;
        Message& message = network_[static_cast<std::size_t>(pick(static_cast<int>(network_.size())))];
        lose(message);
        message.life = -1;
    }

    void handle(Message message) {
        if (message.answer)
            return answer(message, false);
        if (message.kind == Message::Kind::patch) {
            message.worked = server_.patch(*message.write);
            if (const auto found = server_.services.find(message.write->service); found != server_.services.end())
                message.service = found->second;
        } else if (message.kind == Message::Kind::list) {
            for (const auto& [name, service] : server_.services)
                message.list.push_back(service);
            message.seen = server_.log.size();
        } else {
            message.worked = server_.put_lease(message.lease_version, message.from, message.reservations);
            message.lease_version = server_.lease.version;
        }
        message.answer = true;
        network_.push_back(std::move(message));
    }

    void answer(const Message& message, bool lost) {
        Controller& controller = controllers_[static_cast<std::size_t>(message.from)];
        if (controller.life != message.life)
            return;
        if (message.kind == Message::Kind::patch) {
            const auto kind = lost             ? WriteResult::Kind::unknown
                              : message.worked ? WriteResult::Kind::written
                                               : WriteResult::Kind::conflict;
            return controller.allocator->finish(*message.write, {kind, lost ? nullptr : message.service}, now_);
        }
        if (message.kind == Message::Kind::list) {
            if (lost)
                return start_listing(controller, message.from);
            controller.allocator->list(message.list, now_);
            controller.listed = true;
            controller.seen = message.seen;
            return;
        }
        controller.busy_with_lease = false;
        if (message.kind == Message::Kind::acquire)
            return acquired(controller, message, lost);
        if (!lost && message.worked) {
            controller.lease_version = message.lease_version;
            controller.rounds->lease_written();
        } else if (server_.lease.holder == message.from && controller.lease_version <= server_.lease.version) {
            // Asked again, the server says that it is still ours; whether it has that text or the last is all the same.
            controller.lease_version = server_.lease.version;
        } else {
            stop(message.from);
        }
    }

    void acquired(Controller& controller, const Message& message, bool lost) {
        if (lost || !message.worked)
            return stop(message.from);
        controller.leading = true;
        controller.lease_version = message.lease_version;
        controller.allocator->begin(read_reservations(message.reservations));
        start_listing(controller, message.from);
    }

    void stop(int index) { start(index); }

    void start_listing(const Controller& controller, int index) {
        Message message;
        message.kind = Message::Kind::list;
        message.from = index;
        message.life = controller.life;
        network_.push_back(std::move(message));
    }

    // ---- a controller ------------------------------------------------------------------------------------------

    void work(int index) {
        Controller& controller = controllers_[static_cast<std::size_t>(index)];
        if (controller.busy_with_lease)
            return;
        if (!controller.leading)
            return send_lease(controller, index, Message::Kind::acquire, server_.lease.version,
                              server_.lease.reservations);
        if (!controller.listed)
            return;
        hear(controller);
        controller.rounds->plan(now_);
        for (StatusWrite& write : controller.rounds->take_ready()) {
            Message message;
            message.from = index;
            message.life = controller.life;
            message.write = std::move(write);
            network_.push_back(std::move(message));
        }
        if (controller.rounds->wants_lease() || pick(4) == 0)
            send_lease(controller, index, Message::Kind::reserve, controller.lease_version,
                       controller.rounds->lease_text());
    }

    /// Some of what the watch has to tell.
    void hear(Controller& controller) {
        for (int i = pick(6); i > 0 && controller.seen < server_.log.size(); --i) {
            const Server::Change& change = server_.log[controller.seen++];
            if (change.gone)
                controller.allocator->remove(change.service->name);
            else
                controller.allocator->put(change.service);
        }
    }

    void send_lease(Controller& controller, int index, Message::Kind kind, std::uint64_t version,
                    std::string reservations) {
        Message message;
        message.kind = kind;
        message.from = index;
        message.life = controller.life;
        message.lease_version = version;
        message.reservations = std::move(reservations);
        controller.busy_with_lease = true;
        network_.push_back(std::move(message));
    }

    std::mt19937 random_;
    PoolConfig config_ = world::config("pools: [{name: small, addresses: [192.0.2.1-192.0.2.8]}]");
    PoolConfig other_ = world::config("pools: [{name: other, addresses: [192.0.2.5-192.0.2.12]}]");
    Server server_;
    std::vector<Controller> controllers_;
    std::deque<Message> network_;
    Time now_{1h};
};

}  // namespace

TEST_CASE("no address is given twice and none is lost, whatever happens") {
    for (unsigned seed = 0; seed < 400; ++seed) {
        INFO("seed " << seed);
        Model model(seed);
        for (int i = 0; i < 300; ++i)
            model.step();
        model.settle();
        model.check();
    }
}
