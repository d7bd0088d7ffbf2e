// Who we are to the API server: files that rotate, programs that are asked.
#include "api/cluster/credentials.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "api/cluster/run_program.hpp"
#include "tests/support/patience.hpp"

using namespace api;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("podferry-test-" + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        std::filesystem::permissions(path / name, std::filesystem::perms::owner_all);
        return path / name;
    }
};

template <class Result>
Result finish(asio::io_context& context, asio::awaitable<Result> task) {
    std::optional<Result> result;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error, Result value) {
        REQUIRE_FALSE(error);
        result = std::move(value);
    });
    context.restart();
    context.run_for(testing::patience(10s));
    REQUIRE(result);
    return *result;
}

std::string token_of(asio::io_context& context, Credentials& credentials) {
    const auto identity = finish(context, credentials.current());
    return identity ? identity->bearer_token : "error: " + identity.error();
}

}  // namespace

TEST_CASE("a token file is read anew each time") {
    const Folder folder;
    asio::io_context context;
    Access access;
    access.token_file = folder.write("token", "first\n");
    Credentials credentials(context, access);
    CHECK(token_of(context, credentials) == "first");
    folder.write("token", "second");
    CHECK(token_of(context, credentials) == "second");
    folder.write("token", "two words");
    CHECK_THAT(token_of(context, credentials), Catch::Contains("holds no token"));
    std::filesystem::remove(access.token_file);
    CHECK_THAT(token_of(context, credentials), Catch::EndsWith("token: cannot be read, or is empty"));
}

TEST_CASE("a credential plugin is asked once, and again when the server refuses its word") {
    const Folder folder;
    asio::io_context context;
    Access access;
    ExecPlugin plugin;
    plugin.api_version = "client.authentication.k8s.io/v1";
    plugin.env = {{"FROM", folder.path}};
    plugin.command = folder.write("plugin", R"(#!/bin/sh
echo x >> "$FROM/asked"
echo "$KUBERNETES_EXEC_INFO" > "$FROM/info"
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t'$(wc -l < "$FROM/asked")'"}}'
)");
    access.exec = plugin;
    Credentials credentials(context, access);
    CHECK(token_of(context, credentials) == "t1");
    CHECK(token_of(context, credentials) == "t1");
    credentials.refused("an older one");
    CHECK(token_of(context, credentials) == "t1");
    credentials.refused("t1");
    CHECK(token_of(context, credentials) == "t2");
    std::string info;
    std::getline(std::ifstream(folder.path / "info") >> std::ws, info);
    CHECK_THAT(info, Catch::Contains("ExecCredential"));
}

TEST_CASE("a credential plugin is asked again when what it said has expired") {
    struct Row {
        const char* expires;
        const char* second;  ///< word of the plugin
    };
    const auto row = GENERATE(values<Row>({{"1 hour ago", "t2"}, {"1 hour", "t1"}}));
    const Folder folder;
    asio::io_context context;
    Access access;
    ExecPlugin plugin;
    plugin.api_version = "client.authentication.k8s.io/v1";
    plugin.env = {{"FROM", folder.path}, {"WHEN", row.expires}};
    plugin.command = folder.write("plugin", R"(#!/bin/sh
echo x >> "$FROM/asked"
expires=$(date -u -d "$WHEN" +%Y-%m-%dT%H:%M:%SZ)
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t'$(wc -l < "$FROM/asked")'","expirationTimestamp":"'$expires'"}}'
)");
    access.exec = plugin;
    Credentials credentials(context, access);
    CHECK(token_of(context, credentials) == "t1");
    CHECK(token_of(context, credentials) == row.second);
}

TEST_CASE("a credential plugin that fails is named, with what helps") {
    struct Row {
        const char* script;
        const char* error;
    };
    const auto row = GENERATE(values<Row>({
        {"#!/bin/sh\nexit 3\n", "exit status 3; install it"},
        {"#!/bin/sh\nprintf 'no token\\nin the \\033cache\\n' >&2\nexit 3\n",
         "exit status 3: no token in the  cache; install it"},
        {"#!/bin/sh\nhead -c 1000000 /dev/zero >&2\nexit 3\n", "exit status 3"},
        {"#!/bin/sh\necho '{}'\n", "plugin: "},
        {nullptr, "not found in PATH; install it"},
    }));
    const Folder folder;
    asio::io_context context;
    Access access;
    ExecPlugin plugin;
    plugin.api_version = "client.authentication.k8s.io/v1";
    plugin.install_hint = "install it";
    plugin.command = row.script == nullptr ? "podferry-no-such-program" : folder.write("plugin", row.script);
    access.exec = plugin;
    Credentials credentials(context, access);
    CHECK_THAT(token_of(context, credentials),
               Catch::StartsWith("error: credential plugin ") && Catch::Contains(row.error));
}

TEST_CASE("a program that does not end is killed") {
    // Also not one that has closed its output.
    const std::string script = GENERATE("exec sleep 60", "exec sleep 60 >&-");
    asio::io_context context;
    const auto began = std::chrono::steady_clock::now();
    const auto output = finish(context, run_program(context, {"sh", {"-c", script}, {}}, 1s));
    CHECK(std::chrono::steady_clock::now() - began < testing::patience(8s));
    REQUIRE_FALSE(output);
    CHECK_THAT(output.error(), Catch::EndsWith("not done within 1 s"));
}

TEST_CASE("a program that prints without an end is killed") {
    asio::io_context context;
    const auto began = std::chrono::steady_clock::now();
    const auto output = finish(context, run_program(context, {"sh", {"-c", "exec cat /dev/zero"}, {}}, 60s));
    CHECK(std::chrono::steady_clock::now() - began < testing::patience(30s));
    REQUIRE_FALSE(output);
    CHECK_THAT(output.error(), Catch::EndsWith("prints more than 1 MiB"));
}

TEST_CASE("what a program has started ends with it") {
    const Folder folder;
    asio::io_context context;
    // The one in the background holds the output open.
    const std::string script = "sleep 60 & echo $! > " + (folder.path / "pid").string() + "; exit 0";
    REQUIRE_FALSE(finish(context, run_program(context, {"sh", {"-c", script}, {}}, 1s)));
    int pid = 0;
    std::ifstream(folder.path / "pid") >> pid;
    REQUIRE(pid > 1);
    const auto ended = [&] {
        std::string state;
        std::ifstream(("/proc/" + std::to_string(pid) + "/stat")) >> state >> state >> state;
        return state.empty() || state == "Z";
    };
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!ended() && std::chrono::steady_clock::now() < deadline)
        ::usleep(10'000);
    CHECK(ended());
}

TEST_CASE("a file that is too long to be a token is refused") {
    asio::io_context context;
    Access access;
    access.token_file = "/dev/zero";
    Credentials credentials(context, access);
    CHECK_THAT(token_of(context, credentials), Catch::Contains("longer than 1 MiB"));
}

TEST_CASE("credentials may go while a plugin is asked, before their event loop does") {
    const auto stop_after = GENERATE(0, 1, 2, 5);
    for (int i = 0; i < 5; ++i) {
        asio::io_context context;
        Access access;
        ExecPlugin plugin;
        plugin.api_version = "client.authentication.k8s.io/v1";
        plugin.command = "sleep";
        plugin.args = {"60"};
        access.exec = plugin;
        auto credentials = std::make_unique<Credentials>(context, access);
        const auto ignore = [](const std::exception_ptr&, const tl::expected<Identity, std::string>&) {};
        asio::co_spawn(context, credentials->current(), ignore);
        asio::co_spawn(context, credentials->current(), ignore);  // which waits for the first
        for (int turns = 0; turns < stop_after; ++turns)
            context.run_one_for(20ms);
        credentials.reset();
    }
}
