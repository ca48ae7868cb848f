// Negotiation of permessage-deflate on the server's side (RFC 7692 7.1).
//
// A client offers alternatives in its order of preference; the first one that is well-formed and
// fits the server's settings is accepted. Whatever is wrong with an offer declines that offer and
// never the connection: without an accepted one the WebSocket is simply not compressed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proto/http/request.h"

namespace sluice::ws {

inline constexpr std::uint8_t kWindowBitsMin = 8;
inline constexpr std::uint8_t kWindowBitsMax = 15;

// How one side compresses what it sends. Plain data.
struct DeflateSide {
  std::uint8_t window_bits = kWindowBitsMax;  // it never refers back further than 2^this bytes
  bool takeover = true;                       // it may refer back to earlier messages

  bool operator==(const DeflateSide&) const = default;
};

// What both sides agreed on, and how the answer says so.
struct DeflateAgreement {
  DeflateSide server;
  DeflateSide client;
  bool says_server_bits = false;
  bool says_client_bits = false;
};

// What a server wants.
struct DeflateSettings {
  std::uint8_t window_bits = 12;  // 9 to 15: of both sides, where the client lets us choose
  // Remember earlier messages, in both directions, if the client agrees. A server that never does
  // has one compressor for all clients, so it declines offers that ask for a smaller window.
  bool takeover = false;
};

// The first acceptable offer in all Sec-WebSocket-Extensions fields of `request`, if there is one.
std::optional<DeflateAgreement> choose_deflate(const http::Request& request,
                                               const DeflateSettings& settings) noexcept;

// Appends the value of the response's Sec-WebSocket-Extensions.
void append_deflate_answer(std::string& out, const DeflateAgreement& agreement);

}  // namespace sluice::ws
