// RFC 6455 framing for the bare loops: all lengths, unmasking, ping, close; no more.
//
// A reply is never longer than the request it answers, because a server's frame carries no mask. So
// an echo is made in place, in the very bytes the kernel delivered: one pass that reads, unmasks
// and moves, and one contiguous reply for any number of frames.
//
// What they leave out, a real server must do: UTF-8, fragments across a broadcast, limits per peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/bytes.h"

namespace sluice::bare {

inline constexpr std::uint64_t kPayloadMax = 16u << 20;  // beyond it a peer is dropped

enum class Next {
  kGoOn,
  kClose,  // the peer closed: send what there is (it ends with our close frame), then close
  kDrop,   // the peer broke the protocol
};

struct Echoed {
  std::size_t consumed = 0;  // bytes of whole frames; what follows is the start of another
  ConstBytes reply;          // within the input
  Next next = Next::kGoOn;
};

// Turns the whole frames at the front of `input` into their replies, in place.
Echoed echo_in_place(Bytes input);

struct Collected {
  std::size_t consumed = 0;
  Next next = Next::kGoOn;
};

// Appends every message in `input` to `shared`, as a frame for all clients, and what only this
// client gets (pong, close) to `own`. A fragment is a kDrop: it cannot be interleaved with others.
Collected collect(Bytes input, std::vector<std::byte>& shared, std::vector<std::byte>& own);

}  // namespace sluice::bare
