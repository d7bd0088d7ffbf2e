// A folder of manifests, watched with inotify. Reads only files that have changed; reads them on another thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "api/objects/source.hpp"

namespace api {

struct FolderOptions {
    std::string path;
    std::chrono::milliseconds debounce{200};  ///< quiet time after a change before files are read
};

/// Files that are read: *.yaml, *.yml, *.json, not hidden, directly in the folder. A folder that cannot be read, a file
/// that cannot be read, and an empty file remove nothing.
class Folder : public Source {
public:
    Folder(boost::asio::io_context& context, FolderOptions options);
    ~Folder() override;
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    /// load(), then watch().
    boost::asio::awaitable<void> run(OnTransaction deliver) override;
    std::string name() const override;
    std::string waiting_for() const override;

    /// Reads everything; blocks. Call once, before watch(). Never throws: what cannot be read is a problem in it.
    Transaction load();

    /// Delivers changes from then on, until cancelled. `deliver` is called on the context's thread, also when only the
    /// problems have changed.
    boost::asio::awaitable<void> watch(OnTransaction deliver);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace api
