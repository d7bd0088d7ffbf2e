#include "netlink/nft.hpp"

#include <nftables/libnftables.h>

#include <memory>
#include <stdexcept>

namespace netlink::nft {

void run(const std::string& text) {
    const std::unique_ptr<nft_ctx, void (*)(nft_ctx*)> context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
    if (!context)
        throw std::runtime_error("nftables cannot be spoken to");
    nft_ctx_buffer_error(context.get());
    nft_ctx_buffer_output(context.get());
    if (nft_run_cmd_from_buffer(context.get(), text.c_str()) != 0)
        throw std::runtime_error(std::string("nftables refuses: ") + nft_ctx_get_error_buffer(context.get()));
}

}  // namespace netlink::nft
