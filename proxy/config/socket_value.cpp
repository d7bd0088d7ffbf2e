#include <fmt/format.h>
#include <sys/un.h>

#include "proxy/config/setting_values.hpp"

namespace proxy {

std::string read_socket(std::string& target, const Values& values) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (values.size() == 1 && values[0].size() > longest)
        return fmt::format("'{}' has {} bytes; the path of a socket has at most {}", values[0], values[0].size(),
                           longest);
    return read_optional_path(target, values);
}

}  // namespace proxy
