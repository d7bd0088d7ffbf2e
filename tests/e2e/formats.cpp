// Whether podferry reads the same from a list in JSON as from the same list in protobuf:
//     e2e-formats KIND JSON_FILE PROTOBUF_FILE
// Prints "N objects, M with mistakes: the same", or the first difference, with status 1.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "api/cluster/wire.hpp"

namespace {

struct List {
    std::vector<api::WireObject> objects;  // by name
    api::ListReader::End end;
};

List read(const std::string& kind, const char* file) {
    List list;
    api::ListReader reader(kind, [&](api::WireObject object) { list.objects.push_back(std::move(object)); });
    std::ifstream stream(file, std::ios::binary);
    reader.feed(std::string(std::istreambuf_iterator<char>(stream), {}));
    list.end = reader.finish();
    std::ranges::sort(list.objects, {}, &api::WireObject::name);
    return list;
}

std::string mistakes(const api::WireObject& object) {
    std::string text = object.label;
    for (const api::Mistake& mistake : object.mistakes)
        text += "\n" + to_string(mistake);
    return text;
}

/// Empty when there is none.
std::string difference(const List& one, const List& other) {
    if (!one.end.problem.empty() || !other.end.problem.empty())
        return one.end.problem + " / " + other.end.problem;
    if (one.objects.size() != other.objects.size())
        return std::to_string(one.objects.size()) + " and " + std::to_string(other.objects.size()) + " objects";
    for (std::size_t i = 0; i < one.objects.size(); ++i) {
        const api::WireObject& a = one.objects[i];
        const api::WireObject& b = other.objects[i];
        if (a.name != b.name || a.version != b.version)
            return to_string(a.name) + " of version " + a.version + ", " + to_string(b.name) + " of version " +
                   b.version;
        if (a.objects != b.objects)
            return to_string(a.name) + " is not the same in both";
        if (mistakes(a) != mistakes(b))
            return mistakes(a) + "\n--- in JSON; in protobuf:\n" + mistakes(b);
    }
    return {};
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        std::fputs("usage: e2e-formats KIND JSON_FILE PROTOBUF_FILE\n", stderr);
        return 2;
    }
    const List json = read(arguments[1], arguments[2]);
    const List protobuf = read(arguments[1], arguments[3]);
    const std::string problem = difference(json, protobuf);
    const auto wrong = std::ranges::count_if(json.objects, [](const auto& object) { return !object.mistakes.empty(); });
    std::printf("%zu objects, %zu with mistakes: %s\n", json.objects.size(), static_cast<std::size_t>(wrong),
                problem.empty() ? "the same" : problem.c_str());
    return problem.empty() ? 0 : 1;
}
