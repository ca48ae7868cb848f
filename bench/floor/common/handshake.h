// The server side of RFC 6455 section 4.2, as far as a well-behaved client needs it.
//
// A floor must not be cheaper than an honest server at what happens per message; what happens once
// per connection only has to be right. So this checks what makes it a WebSocket handshake and
// answers everything else with 400.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::bare {

// Owned by a loop, used on its thread. Fetches SHA-1 once: OpenSSL 3 looks algorithms up by name.
class Handshake {
 public:
  Handshake();

  // Looks for a complete request at the front of `input`. Returns its size, 0 while it is
  // incomplete, and fills `answer`: a 101, or a 400 with `accepted` false.
  std::size_t answer(std::string_view input, std::string& answer, bool& accepted) const;

 private:
  std::string accept_value(std::string_view key) const;

  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> sha1_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace sluice::bare
