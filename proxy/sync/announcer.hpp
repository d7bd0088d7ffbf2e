// Tells people what has come and gone, each thing once: lines of the log, and Events in the API. It remembers what it
// has told; what there is now is asked of the engine or passed in.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/cluster/event_post.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/host/limits.hpp"
#include "proxy/serve/health_server.hpp"
#include "proxy/sync/problem_log.hpp"

namespace proxy {

class Announcer {
public:
    using Post = std::function<void(api::EventNote)>;
    using Write = std::function<void(const ProblemLog::Line&)>;

    /// `engine` must outlive it. Without `post` there are no Events: nobody is there to post them to.
    Announcer(Engine& engine, std::string node_name, Post post, Write write = write_to_log);

    /// "podferry carries the Services of this node"
    void tell_start();
    /// Front ends that Services have lost to others or not got, and what they ask for and do not get: what of that has
    /// changed since the last call. True: something has, and log_problems() is to be called.
    bool tell_plans(Time now);
    /// Each health check port that cannot be listened on, once, to its Service.
    void tell_listen_failures(const std::vector<ListenFailure>& failures);
    /// Sysctls that a read-only file system shows, as an Event of the Node.
    void tell_read_only(const std::vector<std::string>& names);
    /// An Event of the Node, a warning.
    void tell_of_node(const char* reason, const std::string& text);
    /// A page's listener does not work, or (an empty text) does again.
    void tell_listener(const std::string& setting, const char* reason, const std::string& problem);
    /// Texts of tell_listener() that hold now, by setting.
    const std::map<std::string, std::string>& listener_problems() const { return listener_problems_; }

    /// The source's problems have changed since they were logged.
    void note_source_problems() { source_problems_changed_ = true; }
    /// Whether refusals have come or gone since the last call. `version`: Refusals::version().
    bool note_refusals(std::uint64_t version);
    /// Logs the problems that have come and gone. `of_node`: all but those of objects.
    void log_problems(const std::vector<api::Problem>& of_node, Time now);

private:
    static void write_to_log(const ProblemLog::Line& line);
    void post(const char* reason, const std::string& text, bool warning);
    void post_of_service(const api::ObjectName& service, const char* reason, const std::string& text);
    bool tell_conflicts(Time now);
    bool tell_plan_problems(Time now);

    Engine& engine_;
    std::string node_name_;
    Post post_;
    Write write_;
    ProblemLog problem_log_;
    bool source_problems_changed_ = true;
    std::set<Conflict> told_conflicts_;
    std::vector<ListenFailure> told_failures_;
    std::map<std::string, std::string> listener_problems_;
    ReadOnlyNews read_only_news_;
    std::uint64_t told_refusals_ = 0;
};

}  // namespace proxy
