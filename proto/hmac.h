// HMAC with SHA-256 (RFC 2104), prepared once for each key.
//
// OpenSSL 3 takes locks that all threads share whenever an algorithm is fetched, so each shard has
// contexts of its own, which begin anew for every text.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "core/base/result.h"

struct evp_mac_ctx_st;

namespace sluice {

// One key. A value that moves; used on one thread. Compares nothing: who verifies does so in
// constant time.
class Hmac {
 public:
  static constexpr std::size_t kSize = 32;
  using Digest = std::array<unsigned char, kSize>;

  // Fails if OpenSSL offers no HMAC with SHA-256; the error is words for the operator. REQUIRES:
  // the key is not empty.
  static Result<Hmac, std::string_view> create(std::string_view key);

  // Of these parts behind each other.
  Digest of(std::initializer_list<std::string_view> parts) noexcept;

 private:
  struct Deleter {
    void operator()(evp_mac_ctx_st* context) const noexcept;
  };

  Hmac() = default;

  std::unique_ptr<evp_mac_ctx_st, Deleter> context_;
};

}  // namespace sluice
