// A bare parse of JSON files by the same library that podferry uses: what reading is measured against.
//     bench-parse FILE...
#include <boost/json/parse.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

int main(int argc, char** argv) {
    const auto start = std::chrono::steady_clock::now();
    std::size_t members = 0;
    for (int i = 1; i < argc; ++i) {
        std::ifstream file(argv[i], std::ios::binary | std::ios::ate);
        std::string text(static_cast<std::size_t>(file.tellg()), '\0');
        file.seekg(0);
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        members += boost::json::parse(text).as_object().size();
    }
    std::printf("parse %.4f members %zu\n",
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), members);
    return 0;
}
