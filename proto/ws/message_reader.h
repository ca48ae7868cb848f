// WebSocket messages out of a byte stream (RFC 6455 5 to 8), whatever way the bytes are cut.
//
// The hot path of the gateway. A complete message inside the input is unmasked where it lies and
// reported as a view: no copy, no buffer. Only what is cut off - fragments, or a frame whose rest
// has not come - is collected in a block borrowed from a BufferSource, which grows with what
// arrived, never with what a header declares, and goes back when the message is done.
//
// Invariants
//   1. Events do not depend on how the input was split, except that an error is reported as soon as
//      it is certain: a length at the header, bad UTF-8 inside an unfinished frame.
//   2. What next() took from the input it never needs again; what it left it has not touched.
//   3. Between messages no block is held (the block of a message that was reported goes back with
//      the following call).
//   4. kReadSlack readable bytes follow every payload, provided they follow the input.
//   5. After kClose or kError the reader is spent: it swallows input and reports kNone.
//
// If permessage-deflate was agreed on, a message may be compressed (RFC 7692): it is inflated as it
// comes into the same block, so max_message bounds what it becomes and bad UTF-8 is noticed in
// time. Invariant 1 then has one exception: a peer that refers back further than it agreed to is
// either refused or understood, depending on the split.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/buffer_source.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/serial.h"
#include "proto/simd.h"
#include "proto/ws/deflate_offer.h"
#include "proto/ws/frame.h"
#include "proto/ws/frame_error.h"
#include "proto/ws/utf8.h"

namespace sluice::ws {

class CompressedInput;
class InflatorPool;

enum class EventKind : std::uint8_t { kNone, kText, kBinary, kPing, kPong, kClose, kError };

// What next() found. `payload` is valid until the next call, or until the input's buffer goes.
struct Event {
  EventKind kind = EventKind::kNone;
  FrameError error = FrameError::kNone;  // kError only
  CloseCode code = 0;  // kClose: what the peer sent or kCloseNoStatus; kError: what to answer
  std::uint32_t compressed_size = 0;  // of a message: what it came as, if it came compressed
  Bytes payload;                      // message, ping or pong data; kClose: the reason, valid UTF-8
};

enum class Role : std::uint8_t {
  kServer,  // frames must be masked
  kClient,  // frames must not be masked
};

inline constexpr std::uint32_t kMaxMessageCeiling = 1u << 30;

struct ReaderLimits {
  std::uint32_t max_message = 1u << 20;  // bytes of a whole message, inclusive; <= the ceiling
  std::uint32_t max_fragments = 4096;    // frames of one message, inclusive
};
// Bytes of a compressed message as it comes, inclusive: more cannot become a message within the
// limits but by waste.
std::uint32_t compressed_max(const ReaderLimits& limits) noexcept;

// What the readers of a shard share. Outlives them; the shard's thread only.
struct ReaderContext {
  Role role = Role::kServer;
  ReaderLimits limits;
  Simd simd;
  BufferSource* buffers = nullptr;
  InflatorPool* inflators = nullptr;  // if peers may compress
};

// One connection's receiving side. Owned by its session, used on its shard's thread. Plain data:
// the context is its surroundings and not saved. Does not answer pings, close anything or know the
// time.
class MessageReader {
 public:
  // REQUIRES: context outlives the reader, context.buffers is set, max_message <= the ceiling.
  explicit MessageReader(const ReaderContext& context) noexcept;
  // The same for a peer that may compress as `peer` says. REQUIRES: context.inflators is set.
  MessageReader(const ReaderContext& context, DeflateSide peer);
  ~MessageReader();
  MessageReader(MessageReader&& other) noexcept;
  MessageReader& operator=(MessageReader&& other) noexcept;

  // Takes bytes from the front of `input` up to the end of the next event; kNone when the input is
  // used up. Unmasks in place. Call until kNone.
  Event next(Bytes& input) noexcept;

  // Something has begun that the peer must finish in time: a header, a payload or a fragmented
  // message.
  bool is_unfinished() const noexcept;
  // Bytes held for the message under way; 0 between messages.
  std::size_t held_bytes() const noexcept;
  bool may_be_compressed() const noexcept { return deflate_ != nullptr; }
  bool is_spent() const noexcept { return stage_ == Stage::kSpent; }

  // Appends the state, versioned. A reported message that is still in the block is not part of it.
  // What was agreed on about compression is, and the text that the peer may refer to.
  void save(std::vector<std::byte>& out) const;
  // Reads a state from the front of `input` and moves it on. Fails, with a reason for the log, on
  // another version or anything save() cannot have written under the context's limits.
  static Result<MessageReader, std::string_view> load(const ReaderContext& context,
                                                      ConstBytes& input);

 private:
  enum class Stage : std::uint8_t {
    kIdle,      // between messages, nothing held
    kReported,  // like kIdle, but the block still holds the message that was reported
    kHeader,    // inside a header, or between the frames of a message
    kPayload,   // a header is complete, its payload is not
    kSpent,
  };

  bool next_whole(Bytes& input, Event& event) noexcept;
  Event next_slow(Bytes& input) noexcept;
  bool fill_header(Bytes& input, std::size_t size) noexcept;
  FrameError read_header(Bytes& input, bool& complete) noexcept;
  FrameError check_start(std::uint32_t fragments) const noexcept;
  FrameError check_length(std::uint64_t length, std::uint32_t fragments,
                          std::uint32_t received) const noexcept;
  void begin_payload(std::uint64_t length) noexcept;
  Event take_payload(Bytes& input) noexcept;
  Event take_compressed(ConstBytes piece, bool ended) noexcept;
  FrameError inflate(ConstBytes piece) noexcept;
  Event end_message(Bytes payload) noexcept;
  Event end_control(Bytes payload) noexcept;
  Event end_close(Bytes payload) noexcept;
  Event refuse(FrameError error) noexcept;
  void collect(ConstBytes piece, std::size_t at) noexcept;
  void grow(std::size_t needed, std::size_t used) noexcept;
  void release() noexcept;
  void save_deflate(Writer& writer) const;
  bool load_deflate(Reader& in);
  bool load_frame(Reader& in) noexcept;
  bool is_header_plausible(std::uint32_t received) const noexcept;
  bool resume_payload(std::uint32_t received) noexcept;

  Opcode frame_opcode() const noexcept {
    return static_cast<Opcode>(static_cast<unsigned>(header_[0]) & 0x0fu);
  }
  bool frame_fin() const noexcept { return (static_cast<unsigned>(header_[0]) & 0x80u) != 0; }
  // RSV1, which says on the first frame of a message that it is compressed (RFC 7692 6).
  bool frame_rsv1() const noexcept { return (static_cast<unsigned>(header_[0]) & 0x40u) != 0; }
  // Payload bytes of the message under way, as they came.
  std::uint32_t received() const noexcept;
  bool is_masked() const noexcept { return context_->role == Role::kServer; }
  // How many bytes hold the length, beyond the two that begin every header.
  std::size_t length_size() const noexcept {
    const unsigned length = static_cast<unsigned>(header_[1]) & 0x7fu;
    return length < 126 ? 0 : length == 126 ? 2 : 8;
  }
  std::size_t header_due() const noexcept {
    return 2 + length_size() + (is_masked() ? kMaskSize : 0);
  }
  std::uint64_t payload_size() const noexcept;

  const ReaderContext* context_;
  std::unique_ptr<CompressedInput> deflate_;  // null: nothing may be compressed
  Bytes block_;                     // message_size_ bytes of the message, then control_size_ of a
                                    // control frame that came between its fragments
  std::uint32_t message_size_ = 0;  // of the message under way, in block_
  std::uint32_t frame_due_ = 0;     // kPayload: bytes of the frame still to come
  std::uint32_t fragments_ = 0;     // frames of the message under way; 0: no message under way
  std::uint32_t mask_ = 0;          // rotated to the next payload byte
  Utf8Validator utf8_;
  std::array<std::byte, kFrameHeaderMax> header_{};  // of the frame under way
  std::uint8_t header_size_ = 0;                     // bytes of it that have come
  std::uint8_t control_size_ = 0;                    // bytes of a control payload in block_
  Stage stage_ = Stage::kIdle;
  Opcode message_opcode_ = Opcode::kContinuation;  // kText or kBinary while a message is under way
  bool is_compressed_ = false;                     // the message under way is
};

static_assert(sizeof(MessageReader) <= 96, "an idle connection must stay small");

}  // namespace sluice::ws
