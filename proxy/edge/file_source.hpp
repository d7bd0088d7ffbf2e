// The edge's file as a source of objects: its front ends, with what their checks say. The file is watched; one with
// mistakes changes nothing but what is right in it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <string>

#include "api/objects/source.hpp"
#include "proxy/edge/edge_loop.hpp"
#include "proxy/edge/front_end_file.hpp"

namespace proxy {

/// A file of the most front ends that there may be is no longer.
inline constexpr std::size_t longest_edge_file = std::size_t{32} * 1024 * 1024;

/// Gives the balancer what the file has now: front ends that are not in it go, unless nobody knows what they were to
/// become. A file that says nothing changes nothing but the problems.
void apply_file(EdgeFile file, Balancer& balancer);

class FileSource : public api::Source {
public:
    /// The references must outlive it.
    FileSource(boost::asio::io_context& context, const Config& config, Metrics& metrics, std::string path);

    boost::asio::awaitable<void> run(api::OnTransaction deliver) override;
    std::string name() const override { return path_; }
    std::string waiting_for() const override;

    const Balancer& balancer() const { return loop_.balancer(); }
    /// Nothing has been delivered yet.
    bool is_waiting() const { return loop_.is_waiting(); }

private:
    boost::asio::awaitable<void> watch();
    boost::asio::awaitable<void> read();

    boost::asio::io_context& context_;
    std::chrono::milliseconds debounce_;
    std::string path_;
    bool was_read_ = false;
    api::OnTransaction deliver_;
    EdgeLoop loop_;
    boost::asio::thread_pool pool_{1};  // last: at the end its thread is waited for before all that it reads goes
};

}  // namespace proxy
