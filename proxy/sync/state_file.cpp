#include "proxy/sync/state_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/file.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

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
    const std::string reason = base::write_atomically(path_, to_json(choices));
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
