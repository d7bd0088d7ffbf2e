// Tokens, keys and certificates inside documents. What is wrong with one is said without repeating any of it: messages
// end in logs.
#pragma once

#include <string>
#include <string_view>

#include "api/wire/field.hpp"

namespace api {

/// The text; empty when absent.
std::string secret_text(const Field& field);

/// A bearer token, without the blanks around it: what may stand in an HTTP header. Empty when absent.
std::string bearer_token(const Field& field);

/// PEM, as it is or (`base64`) encoded once more, as kubeconfigs hold it. Empty when absent.
std::string pem(const Field& field);
std::string pem_in_base64(const Field& field);

/// RFC 4648 section 4, with padding, on one line.
std::string base64(std::string_view bytes);

}  // namespace api
