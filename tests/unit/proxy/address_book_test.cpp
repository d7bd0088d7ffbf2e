// Who is affected by whose addresses.
#include "proxy/plan/address_book.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"

using namespace proxy;
using build::address;

namespace {

const api::ObjectName web{"shop", "web"};
const api::ObjectName db{"shop", "db"};
using Names = std::set<api::ObjectName>;

}  // namespace

TEST_CASE("who names an address is affected when it becomes a ClusterIP, moves away or goes") {
    AddressBook book;
    book.watch(web, {address("10.96.0.7")});
    book.put(db, {address("10.96.0.8")});
    CHECK(book.exchange_affected().empty());
    book.put(db, {address("10.96.0.7")});
    CHECK(book.is_cluster_ip(address("10.96.0.7")));
    CHECK_FALSE(book.is_cluster_ip(address("10.96.0.8")));
    CHECK(book.exchange_affected() == Names{web});
    book.put(db, {address("10.96.0.7")});
    CHECK(book.exchange_affected().empty());
    book.put({"shop", "second"}, {address("10.96.0.7")});
    book.remove(db, {});
    CHECK(book.is_cluster_ip(address("10.96.0.7")));
    CHECK(book.exchange_affected().empty());
    book.remove({"shop", "second"}, {});
    CHECK(book.exchange_affected() == Names{web});
    book.watch(web, {});
    book.put(db, {address("10.96.0.7")});
    CHECK(book.exchange_affected().empty());
}

TEST_CASE("a new API server affects those that name an address; of those in use the latest are kept") {
    AddressBook book;
    book.watch(web, {address("192.0.2.1")});
    book.add_server_in_use({address("192.0.2.1"), 6443});
    CHECK(book.exchange_affected() == Names{web});
    book.add_server_in_use({address("192.0.2.1"), 6443});
    CHECK(book.exchange_affected().empty());
    CHECK(book.is_api_server({address("192.0.2.1"), 6443}));
    CHECK_FALSE(book.is_api_server({address("192.0.2.1"), 443}));
    CHECK(book.has_api_server(address("192.0.2.1")));
    CHECK_FALSE(book.has_api_server(address("192.0.2.2")));
    for (int i = 0; i < 100; ++i)
        book.add_server_in_use({address("198.51.100." + std::to_string(i)), 443});
    CHECK(book.servers().size() == 64);
    CHECK(book.has_api_server(address("198.51.100.99")));
    book.set_servers_of_cluster({{address("192.0.2.9"), 6443}});
    CHECK(book.has_api_server(address("192.0.2.9")));
    book.remove({"default", "kubernetes"}, {});
    CHECK_FALSE(book.has_api_server(address("192.0.2.9")));
}

TEST_CASE("a health check port affects those that name one of the node's own addresses") {
    const std::set<api::Address> own = {address("192.168.50.10")};
    AddressBook book;
    book.watch(web, {address("192.168.50.10")});
    book.watch({"shop", "elsewhere"}, {address("203.0.113.7")});
    book.put_health_port(db, 30900, own);
    CHECK(book.is_health_port(30900));
    CHECK(book.exchange_affected() == Names{web});
    book.put_health_port(db, 30900, own);
    CHECK(book.exchange_affected().empty());
    book.put_health_port(db, 30901, own);
    CHECK_FALSE(book.is_health_port(30900));
    book.exchange_affected();
    book.remove(db, own);
    CHECK_FALSE(book.is_health_port(30901));
    CHECK(book.exchange_affected() == Names{web});
}
