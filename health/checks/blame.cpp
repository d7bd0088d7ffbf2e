#include "health/checks/blame.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>
#include <cerrno>

namespace health {

Doubt doubt_of(const boost::system::error_code& error) {
    if (error == boost::beast::error::timeout || error == boost::asio::error::timed_out)
        return Doubt::silence;
    if (error.category() != boost::system::system_category() && error.category() != boost::system::generic_category())
        return Doubt::none;
    switch (error.value()) {
        case ENOBUFS:
        case ENOMEM:
        case EMFILE:
        case ENFILE:
        case EADDRNOTAVAIL:
        case EADDRINUSE:
        case EPERM:
        case EACCES:
        case EAFNOSUPPORT:
            return Doubt::host;
        case ENETUNREACH:
            return Doubt::route;
        default:
            return Doubt::none;
    }
}

Outcome settle(Outcome outcome, bool others_answer, const std::string& host_trouble) {
    if (outcome.answer != Answer::failure)
        return outcome;
    const bool lost = outcome.doubt == Doubt::silence && !host_trouble.empty();
    if (lost)
        outcome.reason += "; " + host_trouble;
    if (lost || outcome.doubt == Doubt::host || (outcome.doubt == Doubt::route && !others_answer))
        outcome.answer = Answer::error;
    return outcome;
}

}  // namespace health
