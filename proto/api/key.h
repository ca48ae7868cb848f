// Who may use the server API: whoever knows one of its keys.
//
// Invariants
//   1. How long a check takes tells nothing about the keys: digests of equal length are compared,
//      all of them, each to its end.
//   2. Without keys nobody is admitted.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"

struct evp_md_st;
struct evp_md_ctx_st;

namespace sluice::api {

// Where a request may carry its key, in the order in which we look. Only the first place that has
// one counts, so that a wrong key is not mended by a second one.
struct Credentials {
  std::optional<std::string_view> x_api_key;      // the header's value
  std::optional<std::string_view> authorization;  // counts with the scheme `apikey`
  std::string_view query;                         // what follows the `?`; `api_key` counts
};

// The keys, as digests. Owned by a shard, used on its thread: the digest is fetched once, since
// OpenSSL 3 takes locks that all threads share on every implicit fetch.
class Keys {
 public:
  // Empty keys are left out. Fails if the machine's OpenSSL offers no SHA-256.
  static Result<Keys, std::string_view> create(std::span<const std::string_view> keys);

  // Whether the request carries one of the keys. Otherwise answer 401.
  [[nodiscard]] bool admits(const Credentials& credentials) noexcept;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Deleter {
    void operator()(evp_md_st* algorithm) const noexcept;
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  Keys() = default;
  Digest digest_of(std::string_view key) noexcept;

  std::unique_ptr<evp_md_st, Deleter> algorithm_;
  std::unique_ptr<evp_md_ctx_st, Deleter> context_;
  std::vector<Digest> digests_;
};

}  // namespace sluice::api
