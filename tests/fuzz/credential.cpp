// Whatever a credential plugin prints: one line that says what is wrong, or credentials that can be sent.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "api/cluster/exec_credential.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto credential = api::parse_exec_credential(text, "client.authentication.k8s.io/v1");
    const auto printable = [](char c) { return c > ' ' && c < 127; };
    const bool good = credential ? std::all_of(credential->token.begin(), credential->token.end(), printable) &&
                                       (!credential->token.empty() || !credential->client_key_pem.empty())
                                 : !credential.error().empty();
    if (!good) {
        std::fputs("neither an error nor a credential\n", stderr);
        std::abort();
    }
    return 0;
}
