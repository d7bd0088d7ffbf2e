// Runs nftables text. The only user of libnftables; used for what is rare: installing and removing our table.
#pragma once

#include <string>

namespace netlink::nft {

/// One transaction. Throws std::runtime_error with nft's message.
void run(const std::string& text);

}  // namespace netlink::nft
