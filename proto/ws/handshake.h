// The server's side of the opening handshake (RFC 6455 4.2).
//
// A parsed HTTP request goes in; the accepted key, or an HTTP status with the fields that belong to
// it, comes out. Whether the path exists and the Origin is welcome is the gateway's business.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "proto/http/request.h"
#include "proto/http/response.h"

struct evp_md_st;
struct evp_md_ctx_st;

namespace sluice::ws {

// In the order in which they are looked for. Also the closed list of a metric's label.
enum class HandshakeError : std::uint8_t {
  kMethod,
  kHttpVersion,
  kUpgrade,
  kConnection,
  kVersion,
  kDuplicateVersion,
  kMissingKey,
  kDuplicateKey,
  kBadKey,
  kBadSubprotocols,
  kBody,
};
inline constexpr std::size_t kHandshakeErrorCount = 11;

struct HandshakeErrorInfo {
  int status;
  std::string_view label;               // for metrics: snake_case
  std::string_view text;                // for the response's body
  std::span<const http::Field> fields;  // that the response must carry (Allow, Upgrade, version)
};
const HandshakeErrorInfo& describe(HandshakeError error) noexcept;

inline constexpr std::size_t kSubprotocolsMax = 32;

// Views into the request.
struct Handshake {
  std::string_view key;
  std::array<std::string_view, kSubprotocolsMax> subprotocols;  // in the client's order
  std::size_t subprotocol_count = 0;

  bool offers(std::string_view subprotocol) const noexcept;
};

// The request is meant to become a WebSocket, well-formed or not, and must be answered as such.
bool is_upgrade(const http::Request& request) noexcept;

// REQUIRES: `request` was completed by a RequestParser.
Result<Handshake, HandshakeError> check_upgrade(const http::Request& request) noexcept;

inline constexpr std::size_t kKeySize = 24;     // Base64 of 16 bytes
inline constexpr std::size_t kAcceptSize = 28;  // Base64 of a SHA-1

// Computes Sec-WebSocket-Accept (RFC 6455 4.2.2). Owned by a shard, used on its thread: the digest
// is fetched once, since OpenSSL 3 takes locks that all threads share on every implicit fetch.
class AcceptKey {
 public:
  // Fails if the machine's OpenSSL offers no SHA-1.
  static Result<AcceptKey, std::string_view> create() noexcept;

  using Value = std::array<char, kAcceptSize>;
  // REQUIRES: key.size() == kKeySize.
  Value of(std::string_view key) noexcept;

 private:
  struct Deleter {
    void operator()(evp_md_st* digest) const noexcept;
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  AcceptKey() = default;

  std::unique_ptr<evp_md_st, Deleter> digest_;
  std::unique_ptr<evp_md_ctx_st, Deleter> context_;
};

// Appends the 101 response. `subprotocol`: one that the client offered, or empty for none.
// `extensions`: those accepted, as the field says it, or empty for none.
void append_switching_protocols(std::string& out, const AcceptKey::Value& accept,
                                std::string_view subprotocol = {},
                                std::string_view extensions = {});

}  // namespace sluice::ws
