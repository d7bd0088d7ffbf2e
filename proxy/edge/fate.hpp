// What becomes of each backend of a front end, and why: by its eligibility, its check, and the rules that keep an edge
// from making things worse. Pure; `now` is passed in.
//
// - Who is barred, or has weight 0, gets no new connections; what it has goes on.
// - Who answers badly, or refuses the connection, is out: weight 0, so that connections that are
//   under way end by themselves. Unless most of a front end's do so at once: then the check is doubted, and they are
//   kept (SafetyRules).
// - Whose "no" is the Service's own word has no endpoint: it is out, also when all are.
// - Who is silent is out at once, and, when it has been so for as long again, dead: it is deleted, and its clients get
// a
//   reset instead of waiting for 15 minutes. Unless nobody answers this edge any more: then it is the edge that is cut
//   off, and who was in stays in (silence.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "health/guard/group.hpp"
#include "proxy/edge/balanced.hpp"

namespace proxy {

/// What a check has found.
struct Found {
    enum class Answer : std::uint8_t {
        unknown,
        passes,
        says_no,  ///< it answers, but badly
        refuses,  ///< its host answers that nobody listens there
        silent,   ///< nothing comes back
    } answer = Answer::unknown;
    Time since{};             ///< when that began
    std::string why{};        ///< "connect: Connection refused"
    bool has_passed = false;  ///< at some time before
};

/// "unknown", "passes", "says_no", "refuses", "silent"
std::string_view word(Found::Answer answer);

enum class BackendState : std::uint8_t {
    in,
    kept,     ///< it fails, and gets connections all the same
    drained,  ///< its weight is 0, by hand
    barred,   ///< it is not eligible
    waiting,  ///< its check has not decided yet
    out,      ///< its check says so: no new connections
    silent,   ///< the same, because nothing comes back
    dead,     ///< it has been so for long: deleted, what it had is reset
};
inline constexpr BackendState all_backend_states[] = {
    BackendState::in,      BackendState::kept, BackendState::drained, BackendState::barred,
    BackendState::waiting, BackendState::out,  BackendState::silent,  BackendState::dead};

/// "in", "kept", ...
std::string_view word(BackendState state);

inline bool is_in(BackendState state) {
    return state == BackendState::in || state == BackendState::kept;
}

struct BackendFate {
    BackendState state = BackendState::waiting;
    std::string reason{};  ///< why it is not simply in; empty then
    bool operator==(const BackendFate&) const = default;
};

struct Fates {
    std::vector<BackendFate> each;  ///< in the order of the backends
    health::PanicState panic{};
    std::optional<Time> again{};  ///< when to decide again though nothing has changed
};

/// What is known beside the front end itself.
struct Knowledge {
    const std::map<std::string, Found>& checks;  ///< by to_string(HealthCheck)
    std::optional<Time> disbelieved_since{};     ///< silence that began since then is this edge's own
};

Fates fates_of(const Balanced& balanced, const Knowledge& known, health::PanicState before, Time now);

}  // namespace proxy
