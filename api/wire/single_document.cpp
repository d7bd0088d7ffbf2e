#include "api/wire/single_document.hpp"

#include "api/wire/text_encoding.hpp"

namespace api {
namespace {

std::string at(const std::string& file, int line) {
    return file + ":" + std::to_string(line) + ": ";
}

}  // namespace

tl::expected<YamlDocument, std::string> parse_single_document(std::string_view text, const std::string& file) {
    std::string storage;
    YamlBudget budget;
    auto document = parse_yaml_document(as_utf8(text, storage), budget);
    if (!document)
        return tl::unexpected(at(file, document.error().line) + "not valid " + document.error().message + "\n");
    if (!*document)
        return tl::unexpected(at(file, 1) + "the file is empty\n");
    if (!(*document)->value.is_object())
        return tl::unexpected(at(file, (*document)->line) + "must be a mapping of fields to values\n");
    return std::move(**document);
}

std::string describe(const std::vector<Mistake>& mistakes, const YamlDocument& document, const std::string& file) {
    std::string text;
    for (const Mistake& mistake : mistakes)
        text += at(file, document.line_of(mistake.path)) + to_string(mistake) + "\n";
    return text;
}

}  // namespace api
