// The configuration file while the controller runs.
#include "proxy/controller/pool_file.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/patience.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

/// A folder as the kubelet mounts a ConfigMap: the file is a link by way of ..data, which is exchanged.
struct Mount {
    std::filesystem::path folder;
    int times = 0;

    Mount() {
        std::string name = (std::filesystem::temp_directory_path() / "podferry-pools-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder = name;
    }
    ~Mount() { std::filesystem::remove_all(folder); }

    std::string path() const { return (folder / "controller.yaml").string(); }

    void put(const std::string& text) {
        const std::string version = "..version" + std::to_string(++times);
        std::filesystem::create_directory(folder / version);
        std::ofstream(folder / version / "controller.yaml") << text;
        std::filesystem::create_symlink(version, folder / "..data_tmp");
        std::filesystem::rename(folder / "..data_tmp", folder / "..data");
        if (times == 1)
            std::filesystem::create_symlink("..data/controller.yaml", path());
    }
};

constexpr const char* good = "pools: [{name: a, addresses: [192.0.2.1]}]";
constexpr const char* better = "pools: [{name: b, addresses: [192.0.2.1]}]";

}  // namespace

TEST_CASE("the last good file stays in force") {
    Mount mount;
    PoolFile file(mount.path());
    CHECK_FALSE(file.read());
    CHECK_FALSE(file.config());
    CHECK_THAT(file.problem(), Catch::Contains("cannot be read"));
    mount.put(good);
    CHECK(file.read());
    CHECK(file.problem().empty());
    CHECK_FALSE(file.read());  // the same again is no change
    mount.put("pools: 1");
    CHECK_FALSE(file.read());
    CHECK_THAT(file.problem(), Catch::Contains("controller.yaml:1: pools: "));
    CHECK(file.config()->pools[0].name == "a");
    mount.put(better);
    CHECK(file.read());
    CHECK(file.problem().empty());
    CHECK(file.config()->pools[0].name == "b");
}

TEST_CASE("an exchanged ConfigMap is noticed") {
    Mount mount;
    mount.put(good);
    PoolFile file(mount.path());
    boost::asio::io_context context;
    bool first = true;
    boost::asio::co_spawn(context,
                          watch_file(context, mount.path(),
                                     [&] {
                                         file.read();
                                         if (std::exchange(first, false))
                                             mount.put(better);
                                         else if (file.config()->pools[0].name == "b")
                                             context.stop();
                                     }),
                          boost::asio::detached);
    context.run_for(testing::patience(10s));
    CHECK(file.config()->pools[0].name == "b");
}
