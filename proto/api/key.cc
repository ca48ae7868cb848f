#include "proto/api/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base/check.h"
#include "proto/http/text.h"

namespace sluice::api {
namespace {

// Longer keys in a query are none of ours: the request's head is bounded, but this is on the stack.
constexpr std::size_t kQueryKeyBytesMax = 512;

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  c = http::to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// A value in a query, as forms write it (`+` is a space). A broken escape stands for itself.
std::string_view decode_query(std::string_view text,
                              std::span<char, kQueryKeyBytesMax> out) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i, ++size) {
    if (size == out.size()) return {};
    out[size] = text[i] == '+' ? ' ' : text[i];
    if (text[i] != '%' || text.size() - i < 3) continue;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) continue;
    out[size] = static_cast<char>(high << 4 | low);
    i += 2;
  }
  return {out.data(), size};
}

// What follows the scheme `apikey` (RFC 9110 11.4); schemes know no case.
std::optional<std::string_view> key_of_authorization(std::string_view value) noexcept {
  constexpr std::string_view kScheme = "apikey ";
  value = http::trim(value);
  if (!http::equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  return http::trim(value.substr(kScheme.size()));
}

// The key that counts, perhaps in `buffer`.
std::optional<std::string_view> key_of(const Credentials& credentials,
                                       std::span<char, kQueryKeyBytesMax> buffer) noexcept {
  if (credentials.x_api_key) return credentials.x_api_key;
  if (credentials.authorization) {
    if (const auto key = key_of_authorization(*credentials.authorization)) return key;
  }
  if (const auto key = http::query_value(credentials.query, "api_key")) {
    return decode_query(*key, buffer);
  }
  return std::nullopt;
}

}  // namespace

void Keys::Deleter::operator()(evp_md_st* algorithm) const noexcept { EVP_MD_free(algorithm); }
void Keys::Deleter::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Result<Keys, std::string_view> Keys::create(std::span<const std::string_view> keys) {
  Keys made;
  made.algorithm_.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  made.context_.reset(EVP_MD_CTX_new());
  if (!made.algorithm_ || !made.context_) {
    return fail(std::string_view("OpenSSL offers no SHA-256, which API keys need"));
  }
  for (const std::string_view key : keys) {
    if (!key.empty()) made.digests_.push_back(made.digest_of(key));
  }
  return made;
}

bool Keys::admits(const Credentials& credentials) noexcept {
  std::array<char, kQueryKeyBytesMax> buffer;
  const auto key = key_of(credentials, buffer);
  if (!key) return false;
  const Digest digest = digest_of(*key);
  int equal = 0;
  for (const Digest& known : digests_) {
    equal |= static_cast<int>(CRYPTO_memcmp(known.data(), digest.data(), digest.size()) == 0);
  }
  return equal != 0;
}

Keys::Digest Keys::digest_of(std::string_view key) noexcept {
  Digest digest{};
  unsigned size = 0;
  const bool done = EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), key.data(), key.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1;
  SLUICE_CHECK(done && size == digest.size());
  return digest;
}

}  // namespace sluice::api
