#include "api/cluster/secrets.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/algorithm/string/trim.hpp>
#include <optional>

namespace api {
namespace {

/// Line breaks are skipped, as Go's decoder does. OpenSSL reads '=' anywhere as a zero; here it ends the text only.
std::optional<std::string> decoded_base64(std::string text) {
    static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
    const auto letters = std::min(text.find_first_not_of(alphabet), text.size());
    const auto padding = text.size() - letters;
    if (text.size() % 4 != 0 || padding > 2 || text.find_first_not_of('=', letters) != std::string::npos)
        return std::nullopt;
    std::string bytes(text.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) < 0)
        return std::nullopt;
    bytes.resize(bytes.size() - padding);
    return bytes;
}

/// A certificate or key in DER, or anything else, would be found out only when the first connection is made.
std::string checked_pem(const Field& field, std::string text) {
    if (!text.empty() && text.find("-----BEGIN ") == std::string::npos) {
        field.wrong("holds no PEM (-----BEGIN ...)");
        return {};
    }
    return text;
}

}  // namespace

std::string secret_text(const Field& field) {
    if (!field.given())
        return {};
    if (const auto* text = field.raw()->if_string())
        return std::string(text->data(), text->size());
    field.wrong("must be a text; put it in quotes");
    return {};
}

std::string bearer_token(const Field& field) {
    std::string token = secret_text(field);
    boost::algorithm::trim(token);
    if (std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
        return token;
    field.wrong("a token holds no blanks, line breaks or letters outside ASCII; was all of it copied?");
    return {};
}

std::string pem(const Field& field) {
    return checked_pem(field, secret_text(field));
}

std::string pem_in_base64(const Field& field) {
    auto bytes = decoded_base64(secret_text(field));
    if (!bytes)
        field.wrong("is not base64; was all of it copied? (`base64 -w0 FILE` makes it)");
    return bytes ? checked_pem(field, std::move(*bytes)) : std::string();
}

std::string base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a zero
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

}  // namespace api
