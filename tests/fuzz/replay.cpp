// Hands every fuzz target the inputs that `./dev fuzz` starts it from, once: a target aborts when one breaks it.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#define X(target) extern "C" int fuzz_##target(const std::uint8_t* data, std::size_t size);
TARGETS
#undef X

namespace {

struct Target {
    const char* name;
    int (*run)(const std::uint8_t*, std::size_t);
};

#define X(target) {#target, fuzz_##target},
const Target targets[] = {TARGETS};
#undef X

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(folder))
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
            if (entry.is_regular_file())
                files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// `longest` is what `./dev fuzz` cuts inputs to.
std::size_t replay(const Target& target, const std::filesystem::path& folder, std::size_t longest) {
    const auto files = files_in(folder);
    for (const auto& path : files) {
        std::ifstream file(path, std::ios::binary);
        std::string bytes(std::istreambuf_iterator<char>(file), {});
        bytes.resize(std::min(bytes.size(), longest));
        std::printf("%s: %s\n", target.name, path.c_str());
        std::fflush(stdout);
        target.run(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
    return files.size();
}

}  // namespace

int main() {
    const std::filesystem::path root = ROOT;
    for (const Target& target : targets) {
        std::size_t inputs = replay(target, root / "tests/fuzz/seeds" / target.name, std::string::npos);
        for (const char* folder : {"tests/bad_input", "tests/manifests/corpus", "examples", "tests/fuzz/lists"})
            inputs += replay(target, root / folder, 4096);
        if (inputs == 0) {
            std::fprintf(stderr, "%s: no input in %s\n", target.name, root.c_str());
            return 1;
        }
    }
    return 0;
}
