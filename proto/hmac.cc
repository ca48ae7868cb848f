#include "proto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "core/base/check.h"

namespace sluice {
namespace {

const unsigned char* as_octets(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void Hmac::Deleter::operator()(evp_mac_ctx_st* context) const noexcept {
  EVP_MAC_CTX_free(context);
}

Result<Hmac, std::string_view> Hmac::create(std::string_view key) {
  SLUICE_CHECK(!key.empty());
  char digest[] = "SHA256";
  const std::array parameters = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
  EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Hmac hmac;
  if (algorithm != nullptr) hmac.context_.reset(EVP_MAC_CTX_new(algorithm));
  EVP_MAC_free(algorithm);
  if (hmac.context_ &&
      EVP_MAC_init(hmac.context_.get(), as_octets(key), key.size(), parameters.data()) == 1) {
    return hmac;
  }
  return fail(std::string_view("OpenSSL offers no HMAC with SHA-256, which signatures need"));
}

Hmac::Digest Hmac::of(std::initializer_list<std::string_view> parts) noexcept {
  Digest digest{};
  std::size_t size = 0;
  // Without a key the context begins anew with the one it has.
  bool is_done = EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1;
  for (const std::string_view part : parts) {
    is_done = is_done && EVP_MAC_update(context_.get(), as_octets(part), part.size()) == 1;
  }
  is_done = is_done && EVP_MAC_final(context_.get(), digest.data(), &size, digest.size()) == 1;
  SLUICE_CHECK(is_done && size == digest.size());
  return digest;
}

}  // namespace sluice
