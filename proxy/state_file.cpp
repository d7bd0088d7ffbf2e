#include "proxy/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "proxy/log.hpp"

namespace proxy {

std::string write_atomically(const std::string& path, const std::string& text) {
    const std::string fresh = path + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return std::strerror(errno);
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t count = ::write(file, text.data() + written, text.size() - written);
        if (count <= 0)
            break;
        written += static_cast<std::size_t>(count);
    }
    const bool whole = written == text.size() && ::fsync(file) == 0;
    std::string reason = whole ? "" : std::strerror(errno);
    ::close(file);
    if (!whole)
        return reason;
    return std::rename(fresh.c_str(), path.c_str()) == 0 ? "" : std::strerror(errno);
}

StateFile::StateFile(std::string folder) : path_(std::move(folder)) {
    std::error_code ignored;  // a folder that cannot be made shows itself at the first save
    std::filesystem::create_directories(path_, ignored);
    path_ += "/addresses.json";
}

Choices StateFile::load() const {
    std::ifstream file(path_);
    if (!file)
        return {};
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto choices = choices_from_json(text);
    if (!choices) {
        std::error_code ignored;
        std::filesystem::rename(path_, path_ + ".broken", ignored);
        log::warning("remembered addresses cannot be understood; the file is set aside and they are chosen anew",
                     {{"file", path_ + ".broken"}, {"reason", choices.error()}});
        return {};
    }
    saved_ = *choices;
    return std::move(*choices);
}

void StateFile::save(const Choices& choices) {
    if (choices == saved_)
        return;
    const std::string reason = write_atomically(path_, to_json(choices));
    if (reason.empty()) {
        saved_ = choices;
        failing_ = false;
    } else if (!failing_) {
        failing_ = true;
        log::warning("allocated addresses cannot be remembered; a restart may choose others",
                     {{"file", path_}, {"reason", reason}});
    }
}

}  // namespace proxy
