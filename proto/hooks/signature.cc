#include "proto/hooks/signature.h"

#include "proto/json/object.h"

namespace sluice::hooks {
namespace {

void append_hex(std::string& out, const Hmac::Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const unsigned char byte : digest) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

}  // namespace

Result<Signer, std::string_view> Signer::create(std::span<const std::string> secrets) {
  Signer signer;
  for (const std::string& secret : secrets) {
    auto key = Hmac::create(secret);
    if (!key) return fail(key.error());
    signer.keys_.push_back(std::move(*key));
  }
  return signer;
}

void Signer::append_field(std::string& out, std::int64_t seconds, std::string_view body) {
  if (keys_.empty()) return;
  std::string time;
  json::append_number(time, seconds);
  out.append(kSignatureField).append(": t=").append(time);
  for (Hmac& key : keys_) {
    out += ",v1=";
    append_hex(out, key.of({time, ".", body}));
  }
  out += '\n';
}

}  // namespace sluice::hooks
