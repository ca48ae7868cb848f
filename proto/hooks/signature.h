// How an application server knows that a request to one of its hooks is ours, and is new.
//
//   Sluice-Signature:
//   t=1700000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd
//
// `t` is when the request was sent, in seconds since 1970, and `v1` is the HMAC-SHA256, in lower
// case hexadecimal, of the digits of `t`, a full stop, and the body as it is sent. With several
// secrets there is a `v1` for each, in their order: a receiver that knows one of them is content,
// so a new secret can be brought in before the old one goes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "proto/hmac.h"

namespace sluice::hooks {

inline constexpr std::string_view kSignatureField = "Sluice-Signature";

// Owned by a shard, used on its thread. Knows no time.
class Signer {
 public:
  // The error is words for the operator. REQUIRES: no secret is empty. Without any nothing is
  // signed.
  static Result<Signer, std::string_view> create(std::span<const std::string> secrets);

  // Appends a header field for `body`, which is sent at `seconds` since 1970, and a line break.
  void append_field(std::string& out, std::int64_t seconds, std::string_view body);

 private:
  Signer() = default;

  std::vector<Hmac> keys_;
};

}  // namespace sluice::hooks
