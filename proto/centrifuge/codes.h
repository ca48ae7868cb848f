// The numbers of the Centrifuge protocol (version 2): errors in replies, reasons of a disconnect,
// and reasons why the server took a subscription away.
//
// Those of them that are said here. Clients act on the numbers, people read the texts. Errors
// 100-399 and the disconnects and unsubscribes here belong to the protocol; applications have
// errors 400-1999 and disconnects 4000-4999, which is why all three are plain values and not closed
// lists.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::centrifuge {

// The WebSocket subprotocol.
inline constexpr std::string_view kSubprotocol = "centrifuge-json";

// A refused command; the connection lives on. Clients try again when it is temporary, and after
// kTokenExpired with a new token.
struct Error {
  std::uint32_t code = 0;
  std::string_view message;
  bool is_temporary = false;
};

namespace errors {
inline constexpr Error kInternal{100, "internal server error", true};
inline constexpr Error kUnknownChannel{102, "unknown channel"};
inline constexpr Error kPermissionDenied{103, "permission denied"};
inline constexpr Error kMethodNotFound{104, "method not found"};
inline constexpr Error kAlreadySubscribed{105, "already subscribed"};
inline constexpr Error kLimitExceeded{106, "limit exceeded"};
inline constexpr Error kBadRequest{107, "bad request"};
inline constexpr Error kNotAvailable{108, "not available"};
inline constexpr Error kTokenExpired{109, "token expired"};
inline constexpr Error kExpired{110, "expired"};
inline constexpr Error kUnrecoverablePosition{112, "unrecoverable position"};
}  // namespace errors

// The end of a connection: the close frame's code and reason. Clients come back after 3000-3499
// and not after 3500-3999. A reason is never valid JSON, since clients try to read it as such
// first.
struct Disconnect {
  std::uint16_t code = 0;
  std::string_view reason;
};

namespace disconnects {
inline constexpr Disconnect kShutdown{3001, "shutdown"};
inline constexpr Disconnect kInternal{3004, "internal server error"};
inline constexpr Disconnect kConnectionExpired{3005, "connection expired"};
inline constexpr Disconnect kSlow{3008, "slow"};
inline constexpr Disconnect kInsufficientState{3010, "insufficient state"};
inline constexpr Disconnect kNoPong{3012, "no pong"};
inline constexpr Disconnect kInvalidToken{3500, "invalid token"};
inline constexpr Disconnect kBadRequest{3501, "bad request"};
inline constexpr Disconnect kStale{3502, "stale"};
inline constexpr Disconnect kForceDisconnect{3503, "force disconnect"};
inline constexpr Disconnect kChannelLimit{3505, "channel limit"};
inline constexpr Disconnect kInappropriateProtocol{3506, "inappropriate protocol"};
inline constexpr Disconnect kNotAvailable{3508, "not available"};
}  // namespace disconnects

// A subscription that ended on the server: clients subscribe again from 2500 on.
struct Unsubscribe {
  std::uint32_t code = 0;
  std::string_view reason;
};

namespace unsubscribes {
inline constexpr Unsubscribe kServer{2000, "server unsubscribe"};
inline constexpr Unsubscribe kInsufficientState{2500, "insufficient state"};
inline constexpr Unsubscribe kExpired{2501, "subscription expired"};
}  // namespace unsubscribes

}  // namespace sluice::centrifuge
