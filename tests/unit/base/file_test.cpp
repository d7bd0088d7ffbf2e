#include "base/file.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace {

struct Folder {
    std::string path = (std::filesystem::temp_directory_path() / "podferry-file-test-XXXXXX").string();
    Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
};

}  // namespace

TEST_CASE("a file is read whole, up to a length") {
    const Folder folder;
    const std::string path = folder.path + "/text";
    const std::size_t size = GENERATE(0, 1, 4095, 4096, 4097, 100'000);
    std::string text(size, 'x');
    if (size > 1)
        text[1] = '\0';
    CHECK(base::write_atomically(path, text).empty());
    CHECK(base::read_file(path) == text);
    CHECK(base::read_file(path, size) == text);
    if (size > 0)
        CHECK(base::read_file(path, size - 1).error() == std::errc::file_too_large);
}

TEST_CASE("why a file cannot be read is said") {
    const Folder folder;
    CHECK(base::read_file(folder.path + "/none").error() == std::errc::no_such_file_or_directory);
    CHECK(base::read_file(folder.path).error() == std::errc::is_a_directory);
}

TEST_CASE("a file without a size is read to its end") {
    const auto status = base::read_file("/proc/self/status");
    REQUIRE(status);
    CHECK(status->find("Name:") == 0);
    CHECK(base::read_file("/dev/zero", 10'000).error() == std::errc::file_too_large);
}
