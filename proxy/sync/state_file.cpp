#include "proxy/sync/state_file.hpp"

#include <filesystem>

#include "base/file.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

static constexpr std::size_t longest_state = std::size_t{256} * 1024 * 1024;  // far more than all Services have

StateFile::StateFile(std::string folder) : path_(std::move(folder)) {
    std::error_code ignored;  // a folder that cannot be made shows itself at the first save
    std::filesystem::create_directories(path_, ignored);
    path_ += "/addresses.json";
}

Choices StateFile::load() const {
    const auto text = base::read_file(path_, longest_state);
    if (!text && text.error() != std::errc::file_too_large)
        return {};
    auto choices = text ? choices_from_json(*text) : tl::unexpected(text.error().message());
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
