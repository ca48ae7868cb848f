#include "tests/proto/token/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace sluice::token {

std::string encode_base64url(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

std::string sign(std::string_view header, std::string_view claims, std::string_view key) {
  const std::string text = encode_base64url(header) + "." + encode_base64url(claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> signature{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), signature.data(), &size);
  return text + "." + encode_base64url({reinterpret_cast<const char*>(signature.data()), size});
}

}  // namespace sluice::token
