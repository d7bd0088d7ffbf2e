#include "netlink/ipvs_channel.hpp"

#include <linux/genetlink.h>
#include <netlink/genl/genl.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "netlink/apply_each.hpp"
#include "netlink/ipvs_messages.hpp"

namespace netlink {
namespace {

constexpr auto ask_again = std::chrono::seconds(1);

/// What generic netlink answers to a number that is no family's (ENOENT), or another one's by now.
bool doubts_number(int error) {
    return error == ENOENT || error == EOPNOTSUPP;
}

struct IpvsMessage {
    int family;
    Message operator()(const AddVirtualServer& c) const { return ipvs::add_service(family, c.server, c.settings); }
    Message operator()(const EditVirtualServer& c) const { return ipvs::set_service(family, c.server, c.settings); }
    Message operator()(const DeleteVirtualServer& c) const { return ipvs::delete_service(family, c.server); }
    Message operator()(const AddRealServer& c) const {
        return ipvs::add_destination(family, c.server, c.real, c.weight);
    }
    Message operator()(const EditRealServer& c) const {
        return ipvs::set_destination(family, c.server, c.real, c.weight);
    }
    Message operator()(const DeleteRealServer& c) const { return ipvs::delete_destination(family, c.server, c.real); }
    template <class Other>
    Message operator()(const Other&) const {
        throw std::logic_error("not a change of IPVS");
    }
};

}  // namespace

int ipvs_family(Socket& socket) {
    Message message;
    genlmsg_put(message.get(), 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_GETFAMILY, 1);
    nla_put_string(message.get(), CTRL_ATTR_FAMILY_NAME, "IPVS");
    int family = 0;
    try {
        auto answer = socket.ask(message);
        for_each_message(answer, [&](nlmsghdr* header) {
            nlattr* attributes[CTRL_ATTR_MAX + 1] = {};
            if (genlmsg_parse(header, 0, attributes, CTRL_ATTR_MAX, nullptr) >= 0)
                family = value_of<std::uint16_t>(attributes[CTRL_ATTR_FAMILY_ID]).value_or(0);
        });
    } catch (const std::system_error& error) {
        if (error.code().value() != ENOENT)
            throw;
    }
    return family;
}

IpvsChannel::IpvsChannel() : family_(ipvs_family(socket_)) {
    if (family_ == 0)
        throw std::system_error(ENOENT, std::system_category(), "the kernel has no IPVS");
}

bool IpvsChannel::find() {
    const auto now = std::chrono::steady_clock::now();
    if (family_ == 0 && now < asked_ + ask_again)
        return false;
    asked_ = now;
    const int before = std::exchange(family_, ipvs_family(socket_));
    renewed_ = renewed_ || (family_ != 0 && family_ != before);
    return family_ != 0;
}

bool IpvsChannel::exchange_renewed() {
    return std::exchange(renewed_, false);
}

std::vector<char> IpvsChannel::ask(const std::function<Message(int family)>& request) {
    const int before = family_;
    try {
        if (family_ != 0)
            return socket_.dump(request(family_));
    } catch (const std::system_error& error) {
        if (!doubts_number(error.code().value()) || (find() && family_ == before))
            throw;
    }
    return is_there() || find() ? socket_.dump(request(family_)) : std::vector<char>{};
}

int IpvsChannel::transact(const std::function<Message(int family)>& request) {
    batch_.clear();
    batch_.append(request(family_));
    const auto rejections = socket_.transact(batch_);
    return rejections.empty() ? 0 : rejections.front().error;
}

/// When the module has been loaded anew meanwhile, all of it is applied again, under the new number.
void IpvsChannel::apply(std::span<const Change> changes, std::size_t offset, std::vector<Refusal>& refusals) {
    const std::size_t before = refusals.size();
    while (is_there() || find()) {
        const int family = family_;
        refusals.resize(before);
        apply_each(socket_, batch_, changes, offset, refusals,
                   [&](const Change& change) { return std::visit(IpvsMessage{family}, change); });
        const bool doubtful = std::any_of(refusals.begin() + static_cast<std::ptrdiff_t>(before), refusals.end(),
                                          [](const Refusal& one) { return doubts_number(one.error.value()); });
        if (!doubtful || (find() && family_ == family))
            return;
    }
    refusals.resize(before);
    for (std::size_t i = 0; i < changes.size(); ++i)
        refusals.push_back({offset + i, {EPROTONOSUPPORT, std::system_category()}});
}

}  // namespace netlink
