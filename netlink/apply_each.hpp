// Independent changes of one kind, packed into as few calls as possible.
#pragma once

#include <span>
#include <system_error>
#include <vector>

#include "netlink/kernel.hpp"
#include "netlink/socket.hpp"

namespace netlink {

/// Appends what the kernel refuses; `offset`: of the first change, in the refusals' indices. Throws std::system_error.
template <class MessageOf>
void apply_each(Socket& socket, Batch& batch, std::span<const Change> changes, std::size_t offset,
                std::vector<Refusal>& refusals, MessageOf message_of) {
    for (std::size_t next = 0; next < changes.size();) {
        const std::size_t first = next;
        batch.clear();
        while (next < changes.size() && !batch.full())
            batch.append(message_of(changes[next++]));
        for (const Rejection& rejection : socket.transact(batch))
            refusals.push_back({offset + first + rejection.index, {rejection.error, std::system_category()}});
    }
}

}  // namespace netlink
