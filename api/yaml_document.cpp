#include "api/yaml_document.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace api {
namespace {

namespace json = boost::json;

constexpr int max_depth = 64;
constexpr std::size_t max_values = 2'000'000;

struct TooMuch : std::runtime_error {
    using std::runtime_error::runtime_error;
};

int line_at(const YAML::Node& node) {
    return node.Mark().line + 1;
}

/// YAML 1.1 words of go-yaml, which Kubernetes uses.
bool is_true(const std::string& text) {
    return text == "true" || text == "True" || text == "TRUE" || text == "yes" || text == "Yes" || text == "YES" ||
           text == "on" || text == "On" || text == "ON";
}
bool is_false(const std::string& text) {
    return text == "false" || text == "False" || text == "FALSE" || text == "no" || text == "No" || text == "NO" ||
           text == "off" || text == "Off" || text == "OFF";
}
bool is_null(const std::string& text) {
    return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

template <class Number>
bool whole(const std::string& text, std::size_t from, int base, Number& number) {
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + from, end, number, base);
    return code == std::errc{} && stop == end && from < text.size();
}

/// A plain scalar: null, bool, number or text.
json::value plain(const std::string& text) {
    if (is_null(text))
        return nullptr;
    if (is_true(text))
        return true;
    if (is_false(text))
        return false;
    std::int64_t number = 0;
    const std::size_t from = text[0] == '+' ? 1 : 0;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && whole(text, 2, 16, number))
        return number;
    if (text.size() > 2 && text[0] == '0' && text[1] == 'o' && whole(text, 2, 8, number))
        return number;
    if (text.size() > 1 && text[0] == '0' && whole(text, 1, 8, number))
        return number;
    if (whole(text, from, 10, number))
        return number;
    double real = 0;
    const bool numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos;
    const char* end = text.data() + text.size();
    if (numeric) {
        const auto [stop, code] = std::from_chars(text.data() + from, end, real);
        if (code == std::errc{} && stop == end && std::isfinite(real))
            return real;
    }
    return json::string(text);
}

class Converter {
public:
    explicit Converter(std::vector<Mistake>& mistakes) : mistakes_(mistakes) {}

    json::value convert(const YAML::Node& node) {
        if (++count_ > max_values)
            throw TooMuch("more than 2,000,000 values (aliases count each time they are used)");
        if (static_cast<int>(path_.size()) > max_depth)
            throw TooMuch("nested deeper than 64 levels");
        switch (node.Type()) {
            case YAML::NodeType::Sequence:
                return sequence(node);
            case YAML::NodeType::Map:
                return map(node);
            case YAML::NodeType::Scalar:
                // "!" is the tag of quoted scalars, "?" of plain ones.
                if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str")
                    return json::string(node.Scalar());
                return plain(node.Scalar());
            default:
                return nullptr;
        }
    }

private:
    json::value sequence(const YAML::Node& node) {
        json::array items;
        for (std::size_t i = 0; i < node.size(); ++i) {
            path_.emplace_back(i);
            items.push_back(convert(node[i]));
            path_.pop_back();
        }
        return items;
    }

    json::value map(const YAML::Node& node) {
        json::object members;
        for (const auto& member : node) {
            if (!member.first.IsScalar())
                throw TooMuch("line " + std::to_string(line_at(member.first)) + ": a key that is not a text");
            const std::string key = member.first.Scalar();
            path_.emplace_back(key);
            if (members.contains(key))
                mistakes_.push_back({path_, "duplicate key", false});
            else
                members.emplace(key, convert(member.second));
            path_.pop_back();
        }
        return members;
    }

    std::vector<Mistake>& mistakes_;
    std::vector<Step> path_;
    std::size_t count_ = 0;
};

/// For a duplicate key the later one is meant: it is the one to delete.
int find_line(const YAML::Node& document, const std::vector<Step>& path) {
    YAML::Node node = document;
    int line = line_at(document);
    for (const Step& step : path) {
        if (const auto* index = std::get_if<std::size_t>(&step)) {
            if (!node.IsSequence() || *index >= node.size())
                return line;
            node.reset(node[*index]);
            line = line_at(node);
            continue;
        }
        if (!node.IsMap())
            return line;
        YAML::Node next;
        bool found = false;
        for (const auto& member : node)
            if (member.first.IsScalar() && member.first.Scalar() == std::get<std::string>(step)) {
                next.reset(member.second);
                line = line_at(member.first);
                found = true;
            }
        if (!found)
            return line;
        node.reset(next);
    }
    return line;
}

}  // namespace

tl::expected<std::vector<YamlDocument>, YamlError> parse_yaml(const std::string& text) {
    std::vector<YamlDocument> documents;
    int line = 0;
    try {
        for (const YAML::Node& node : YAML::LoadAll(text)) {
            if (node.IsNull() || !node.IsDefined())
                continue;
            line = line_at(node);
            YamlDocument& document = documents.emplace_back();
            document.line = line;
            document.value = Converter(document.mistakes).convert(node);
            document.line_of = [node](const std::vector<Step>& path) { return find_line(node, path); };
        }
    } catch (const YAML::Exception& error) {
        return tl::unexpected(YamlError{error.mark.line + 1, "YAML: " + error.msg});
    } catch (const TooMuch& error) {
        return tl::unexpected(YamlError{line, std::string("YAML: ") + error.what()});
    }
    return documents;
}

}  // namespace api
