// Makes tokens, as a backend does.
#pragma once

#include <string>
#include <string_view>

namespace sluice::token {

inline constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";

// Base64url without padding.
std::string encode_base64url(std::string_view bytes);

// A token with HMAC-SHA256, whatever its header says.
std::string sign(std::string_view header, std::string_view claims, std::string_view key);

}  // namespace sluice::token
