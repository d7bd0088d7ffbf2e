#include "api/single_document.hpp"

namespace api {
namespace {

std::string at(const std::string& file, int line) {
    return file + ":" + std::to_string(line) + ": ";
}

}  // namespace

tl::expected<YamlDocument, std::string> parse_single_document(std::string_view text, const std::string& file) {
    auto documents = parse_yaml(std::string(text));
    if (!documents)
        return tl::unexpected(at(file, documents.error().line) + "not valid " + documents.error().message + "\n");
    if (documents->empty())
        return tl::unexpected(at(file, 1) + "the file is empty\n");
    if (documents->size() > 1)
        return tl::unexpected(at(file, (*documents)[1].line) + "a second YAML document; this file may have one only\n");
    if (!documents->front().value.is_object())
        return tl::unexpected(at(file, documents->front().line) + "must be a mapping of fields to values\n");
    return std::move(documents->front());
}

std::string describe(const std::vector<Mistake>& mistakes, const YamlDocument& document, const std::string& file) {
    std::string text;
    for (const Mistake& mistake : mistakes)
        text += at(file, document.line_of(mistake.path)) + to_string(mistake) + "\n";
    return text;
}

}  // namespace api
