// $(NAME) in a container's command, as Kubernetes expands it (third_party/forked/golang/expansion). Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace api {

using Environment = std::map<std::string, std::string, std::less<>>;

/// The text with each $(NAME) replaced by that variable's value, once; of an unknown name it stays, and "$$" is one
/// "$". nullopt: the result has more than `most` bytes.
std::optional<std::string> expand(std::string_view text, const Environment& environment, std::size_t most);

}  // namespace api
