// What a submission carries and its completions bring back: operation, slot, generation.
//
// Not a pointer: a completion may come after its slot went to the next tenant, and then the
// generation says so.
#pragma once

#include <cstdint>

#include "core/handle.h"

namespace sluice {

enum class UringOp : std::uint8_t {
  kNone,    // nobody waits for it, such as a cancellation
  kWake,    // the eventfd was written
  kAccept,  // multishot
  kConnect,
  kReceive,  // multishot
  kSendTry,  // completes inside the submitting call, and posts nothing when all was taken
  kSendWait,
  kPoll,
};

// 8 bits of operation, 24 of slot, 32 of generation.
inline constexpr std::uint32_t kUringSlotsMax = 1u << 24;

inline std::uint64_t uring_tag(UringOp op, Handle handle) noexcept {
  return static_cast<std::uint64_t>(op) << 56 | static_cast<std::uint64_t>(handle.slot) << 32 |
         handle.generation;
}
inline UringOp uring_tag_op(std::uint64_t tag) noexcept { return static_cast<UringOp>(tag >> 56); }
inline Handle uring_tag_handle(std::uint64_t tag) noexcept {
  return {static_cast<std::uint32_t>(tag >> 32) & (kUringSlotsMax - 1),
          static_cast<std::uint32_t>(tag)};
}

}  // namespace sluice
