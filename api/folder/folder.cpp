#include "api/folder/folder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <tuple>

#include "api/folder/inotify.hpp"
#include "api/folder/manifest_set.hpp"
#include "base/file.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto folder_retry = 1s;
constexpr int most_debounces = 10;  // a folder that never gets quiet is read all the same

bool is_manifest(const std::string& name) {
    return !name.starts_with(".") && (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

/// The names of the folder's manifests, sorted; or why it cannot be read.
struct Listing {
    std::vector<std::string> names;
    std::string problem;
};

Listing list(const std::string& folder) {
    Listing listing;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (is_manifest(name))
            listing.names.push_back(name);
    }
    if (error)
        listing.problem = "cannot be read: " + error.message() + "; everything stays as it is until it can";
    std::sort(listing.names.begin(), listing.names.end());
    return listing;
}

/// Whether it is no manifest, but a way to some: "..data", by which Kubernetes exchanges a mounted ConfigMap; any other
/// link.
bool may_lead_to_manifests(const std::string& folder, const std::string& name) {
    std::error_code error;
    return name == "..data" || std::filesystem::is_symlink(folder + "/" + name, error);
}

/// nullopt: there is no such file. A file that is there and cannot be read is incomplete content.
std::optional<ManifestContent> read_file(const std::string& folder, const std::string& name) {
    const std::string path = folder + "/" + name;
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return std::nullopt;
    const auto unusable = [&](const std::string& why) {
        ManifestContent content;
        content.complete = false;
        content.problems.push_back({{path, 0}, "", why + "; what was read from this file before stays", false});
        return content;
    };
    if (!S_ISREG(info.st_mode))
        return unusable("is not a file");
    const auto text = base::read_file(path, max_manifest_size);
    if (!text)
        return unusable(text.error() == std::errc::file_too_large ? "is larger than 256 MiB; split it"
                                                                  : "cannot be read: " + text.error().message());
    return read_manifest(path, *text);
}

/// What was read in one go, on the other thread.
struct Readings {
    std::vector<std::pair<std::string, std::optional<ManifestContent>>> files;  // by name; nullopt: gone
    std::string folder_problem;
};

}  // namespace

class Folder::Impl {
public:
    Impl(asio::io_context& context, FolderOptions options)
        : options_(std::move(options)), inotify_(context), timer_(context) {}

    const std::string& path() const { return options_.path; }

    Transaction load() {
        // Watch first, so that nothing that changes while we read is missed.
        const std::string problem = inotify_.watch(options_.path);
        watched_ = problem.empty();
        const Listing listing = list(options_.path);
        for (const std::string& name : listing.names)
            update(name, read_file(options_.path, name));
        set_.set_folder_problem(options_.path, listing.problem);
        return set_.exchange_changes(true);
    }

    asio::awaitable<void> watch(OnTransaction deliver) {
        if (!watched_)
            co_await wait_for_folder();
        FolderEvents events;
        events.all = missed_;
        for (;;) {
            if (!events.all && events.names.empty())
                events = co_await inotify_.next();
            co_await debounce(events);
            std::erase_if(events.names, [&](const std::string& name) {
                events.all = events.all || (!is_manifest(name) && may_lead_to_manifests(options_.path, name));
                return !is_manifest(name);
            });
            if (!events.all && events.names.empty())
                continue;
            deliver(co_await read(events));
            events = {};
            if (!watched_) {
                co_await wait_for_folder();
                events.all = true;
            }
        }
    }

private:
    /// Collects events until there is a pause.
    asio::awaitable<void> debounce(FolderEvents& events) {
        using namespace asio::experimental::awaitable_operators;
        for (int i = 0; i < most_debounces; ++i) {
            timer_.expires_after(options_.debounce);
            auto outcome = co_await (inotify_.next() || timer_.async_wait(asio::use_awaitable));
            if (outcome.index() == 1)
                co_return;
            events.add(std::get<0>(std::move(outcome)));
        }
    }

    asio::awaitable<void> wait_for_folder() {
        for (;;) {
            timer_.expires_after(folder_retry);
            co_await timer_.async_wait(asio::use_awaitable);
            // A folder that comes back empty is not yet filled, or not yet mounted.
            if (inotify_.watch(options_.path).empty() && !list(options_.path).names.empty())
                break;
        }
        watched_ = true;
        missed_ = true;
    }

    asio::awaitable<Transaction> read(const FolderEvents& events) {
        std::set<std::string> names = events.names;
        // Watch first, so that nothing that changes while it is read is missed.
        if (events.all)
            watched_ = inotify_.watch(options_.path).empty();
        Readings readings = co_await on_pool([this, names, all = events.all] { return read_all(names, all); });
        watched_ = watched_ && readings.folder_problem.empty();
        set_.set_folder_problem(options_.path, readings.folder_problem);
        for (auto& [name, content] : readings.files)
            update(name, std::move(content));
        // Objects that were refused because another file had them first may be free now.
        for (int rounds = 0; rounds < 10; ++rounds) {
            const std::set<std::string> stale = set_.exchange_stale();
            if (stale.empty())
                break;
            for (const std::string& path : stale)
                update(name_of(path), read_file(options_.path, name_of(path)));
        }
        co_return set_.exchange_changes(false);
    }

    /// Runs on the pool's thread, and touches nothing of ours but the options.
    Readings read_all(const std::set<std::string>& names, bool all) const {
        Readings readings;
        std::set<std::string> wanted = names;
        if (all) {
            const Listing listing = list(options_.path);
            readings.folder_problem = listing.problem;
            if (!listing.problem.empty())
                return readings;
            wanted.insert(listing.names.begin(), listing.names.end());
            for (const std::string& path : set_.files())
                wanted.insert(name_of(path));
        }
        for (const std::string& name : wanted)
            readings.files.emplace_back(name, read_file(options_.path, name));
        return readings;
    }

    template <class Work>
    asio::awaitable<Readings> on_pool(Work work) {
        co_return co_await asio::co_spawn(pool_, run(std::move(work)), asio::use_awaitable);
    }

    template <class Work>
    static asio::awaitable<Readings> run(Work work) {
        co_return work();
    }

    void update(const std::string& name, std::optional<ManifestContent> content) {
        const std::string path = options_.path + "/" + name;
        if (content) {
            set_.update(path, std::move(*content));
        } else if (std::filesystem::is_directory(options_.path)) {
            set_.remove(path);
        }
    }

    std::string name_of(const std::string& path) const { return path.substr(options_.path.size() + 1); }

    FolderOptions options_;
    Inotify inotify_;
    asio::steady_timer timer_;
    ManifestSet set_;
    bool watched_ = false;
    bool missed_ = false;
    asio::thread_pool pool_{1};  // last: at the end its thread is waited for before all that it reads goes
};

Folder::Folder(asio::io_context& context, FolderOptions options)
    : impl_(std::make_unique<Impl>(context, std::move(options))) {}

Folder::~Folder() = default;

asio::awaitable<void> Folder::run(OnTransaction deliver) {
    deliver(load());
    co_await watch(std::move(deliver));
}

std::string Folder::name() const {
    return impl_->path();
}

std::string Folder::waiting_for() const {
    return "the manifests in " + impl_->path();
}

Transaction Folder::load() {
    return impl_->load();
}

asio::awaitable<void> Folder::watch(OnTransaction deliver) {
    return impl_->watch(std::move(deliver));
}

}  // namespace api
