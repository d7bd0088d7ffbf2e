#include "proxy/sync/state_file.hpp"
#include "base/file.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

namespace fs = std::filesystem;

/// A folder of the test's own, gone with it.
struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "podferry-state-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    fs::path path;
};

std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

const proxy::Choices choices = {{{"shop", "web"}, {{base::make_address("10.96.0.7")}, {{"80/TCP", 30080}}}}};

}  // namespace

TEST_CASE("a file is exchanged as a whole, or stays as it was") {
    const Folder folder;
    const fs::path path = folder.path / "file";
    REQUIRE(base::write_atomically(path, "first") == "");
    CHECK(content_of(path) == "first");
    struct stat seen{};
    REQUIRE(::stat(path.c_str(), &seen) == 0);
    CHECK((seen.st_mode & 0777) == 0600);

    // What is written goes beside it: where that cannot be, the file is not touched.
    fs::create_directory(path.string() + ".new");
    CHECK(base::write_atomically(path, "second") != "");
    CHECK(content_of(path) == "first");
    fs::remove(path.string() + ".new");

    // Torn by a crash before the exchange: the next one takes its place.
    std::ofstream(path.string() + ".new") << "hal";
    CHECK(content_of(path) == "first");
    CHECK(base::write_atomically(path, "third") == "");
    CHECK(content_of(path) == "third");
}

TEST_CASE("what was chosen is remembered; a broken file is set aside, and said") {
    const Folder folder;
    const fs::path path = folder.path / "addresses.json";
    CHECK(proxy::StateFile(folder.path).load().empty());
    proxy::StateFile(folder.path).save(choices);
    CHECK(proxy::StateFile(folder.path).load() == choices);

    const std::string whole = content_of(path);
    for (const std::string& broken :
         {std::string(), whole.substr(0, whole.size() / 2), std::string("[1]"), std::string(4, '\0')}) {
        INFO(broken);
        std::ofstream(path) << broken;
        CHECK(proxy::StateFile(folder.path).load().empty());
        CHECK_FALSE(fs::exists(path));
        CHECK(content_of(path.string() + ".broken") == broken);
    }
}
