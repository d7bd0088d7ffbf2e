// A real folder, real notifications.
#include "api/folder/folder.hpp"
#include "tests/support/patience.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace api;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string service(const std::string& name, int port = 80) {
    return "{apiVersion: v1, kind: Service, metadata: {name: " + name +
           "}, spec: {ports: [{port: " + std::to_string(port) + "}]}}\n";
}

struct World {
    fs::path path;
    boost::asio::io_context context;
    std::optional<Folder> folder;
    std::map<std::string, int> services;  // name to port
    std::vector<Problem> problems;
    int deliveries = 0;

    World() {
        std::string name = (fs::temp_directory_path() / "podferry-test-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~World() {
        folder.reset();
        fs::remove_all(path);
        fs::remove_all(path.string() + ".away");
    }
    void write(const std::string& name, const std::string& text) const { std::ofstream(path / name) << text; }
    void apply(const Transaction& transaction) {
        ++deliveries;
        problems = transaction.problems;
        for (const Upsert& upsert : transaction.upserts) {
            const auto& changed = std::get<Service>(upsert.object);
            services[changed.name.name] = changed.ports[0].port;
        }
        for (const Removal& removal : transaction.removals)
            services.erase(removal.name.name);
    }
    void start() {
        folder.emplace(context, FolderOptions{path.string(), 20ms});
        apply(folder->load());
        boost::asio::co_spawn(context, folder->watch([this](const Transaction& transaction) { apply(transaction); }),
                              boost::asio::detached);
    }
    template <class Condition>
    bool becomes(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + testing::patience(10s);
        while (!condition() && std::chrono::steady_clock::now() < deadline)
            context.run_one_for(100ms);
        return condition();
    }
};

}  // namespace

TEST_CASE("what is there is read, what changes follows") {
    World world;
    world.write("a.yaml", service("a"));
    world.write(".hidden.yaml", service("hidden"));
    world.write("notes.txt", service("notes"));
    world.start();
    CHECK(world.services == std::map<std::string, int>{{"a", 80}});
    world.write("b.json",
                R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"b"},"spec":{"ports":[{"port":1}]}})");
    CHECK(world.becomes([&] { return world.services.contains("b"); }));
    world.write("a.yaml", service("a", 81));
    CHECK(world.becomes([&] { return world.services["a"] == 81; }));
    fs::rename(world.path / "a.yaml", world.path / "c.yaml");
    world.write("d.yaml", service("d"));
    CHECK(world.becomes([&] { return world.services.contains("d"); }));
    CHECK(world.services.contains("a"));
    fs::remove(world.path / "c.yaml");
    CHECK(world.becomes([&] { return !world.services.contains("a"); }));
}

TEST_CASE("many changes at once are one transaction") {
    World world;
    world.start();
    const int before = world.deliveries;
    for (int i = 0; i < 50; ++i)
        world.write("f" + std::to_string(i) + ".yaml", service("s" + std::to_string(i)));
    CHECK(world.becomes([&] { return world.services.size() == 50; }));
    CHECK(world.deliveries == before + 1);
}

TEST_CASE("a folder that goes away keeps everything, and is followed again when it is back") {
    World world;
    world.write("a.yaml", service("a"));
    world.start();
    const std::string away = world.path.string() + ".away";
    fs::rename(world.path, away);
    CHECK(world.becomes([&] { return !world.problems.empty(); }));
    CHECK(world.services.contains("a"));
    fs::create_directory(world.path);
    world.write("b.yaml", service("b"));
    CHECK(world.becomes([&] { return world.services.contains("b"); }));
    CHECK_FALSE(world.services.contains("a"));
    CHECK(world.problems.empty());
}

TEST_CASE("a link on the way to the folder that is exchanged is followed") {
    World world;
    const std::string link_name = GENERATE("current", "current/sub");
    CAPTURE(link_name);
    for (const char* revision : {"rev1", "rev2"}) {
        fs::create_directories(world.path / revision / "sub");
        for (const char* folder : {"", "sub/"})
            world.write(std::string(revision) + "/" + folder + "a.yaml", service(revision));
    }
    fs::create_directory_symlink("rev1", world.path / "current");
    world.folder.emplace(world.context, FolderOptions{(world.path / link_name).string(), 20ms});
    world.apply(world.folder->load());
    boost::asio::co_spawn(world.context, world.folder->watch([&](const Transaction& t) { world.apply(t); }),
                          boost::asio::detached);
    CHECK(world.services.contains("rev1"));
    for (const char* revision : {"rev2", "rev1"}) {  // the second exchange is seen too
        fs::create_directory_symlink(revision, world.path / "next");
        fs::rename(world.path / "next", world.path / "current");
        CHECK(world.becomes([&] { return world.services.contains(revision) && world.services.size() == 1; }));
    }
    world.write("rev1/" + std::string(link_name == "current" ? "" : "sub/") + "b.yaml", service("b"));
    CHECK(world.becomes([&] { return world.services.contains("b"); }));
}

TEST_CASE("links in the folder that are exchanged are followed, as those of a mounted ConfigMap") {
    World world;
    for (const char* revision : {"..1", "..2"}) {
        fs::create_directory(world.path / revision);
        world.write(std::string(revision) + "/a.yaml", service("a", revision[2] == '1' ? 80 : 81));
    }
    const std::string link = GENERATE("..data", "release");
    fs::create_directory_symlink("..1", world.path / link);
    fs::create_symlink(link + "/a.yaml", world.path / "a.yaml");
    world.start();
    CHECK(world.services["a"] == 80);
    fs::create_directory_symlink("..2", world.path / "next");
    fs::rename(world.path / "next", world.path / link);
    CHECK(world.becomes([&] { return world.services["a"] == 81; }));
}

TEST_CASE("a folder that is not there at the start is waited for") {
    World world;
    fs::remove(world.path);
    world.start();
    REQUIRE(world.problems.size() == 1);
    CHECK_THAT(to_string(world.problems[0]), Catch::Contains("cannot be read"));
    fs::create_directory(world.path);
    world.write("a.yaml", service("a"));
    CHECK(world.becomes([&] { return world.services.contains("a"); }));
}

TEST_CASE("a folder may go while its files are read, before its event loop does") {
    for (int i = 0; i < 20; ++i) {
        World world;
        for (int file = 0; file < 20; ++file)
            world.write("f" + std::to_string(file) + ".yaml", service("s" + std::to_string(file)));
        world.start();
        const std::string away = world.path.string() + ".away";
        fs::rename(world.path, away);  // then all is read anew, on the other thread
        fs::rename(away, world.path);
        world.write("new.yaml", service("new"));
        world.context.run_for(std::chrono::milliseconds(15 + i));
        world.folder.reset();
    }
}

TEST_CASE("the examples are good") {
    boost::asio::io_context context;
    Folder folder(context, {EXAMPLES, 20ms});
    const Transaction transaction = folder.load();
    for (const Problem& problem : transaction.problems)
        if (problem.origin.file.find("config.yaml") == std::string::npos)
            FAIL_CHECK(to_string(problem));
    CHECK(transaction.upserts.size() >= 5);
}
