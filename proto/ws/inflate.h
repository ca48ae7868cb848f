// What a peer compressed (RFC 7692 7.2.2): the streams that inflate it, and what one connection
// keeps for them.
//
// A connection that is silent between two messages owns no stream: it borrows one from its shard
// when a compressed message begins and gives it back when the message has ended. With context
// takeover it keeps the text that the next message may refer to, no more than the agreed window.
//
// While a message is incomplete its compressed bytes are kept beside the text they became: zlib
// cannot say where it stands inside a block, so whoever takes the connection to another process
// takes them along and inflates them again there.
#pragma once

#include <cstddef>
#include <memory>

#include "core/base/buffer_source.h"
#include "core/base/bytes.h"
#include "proto/ws/deflate_offer.h"

namespace sluice::ws {

// One zlib inflate stream. Owned by an InflatorPool or whoever took it there; the shard's thread.
// Knows DEFLATE, not messages or limits.
class Inflator {
 public:
  explicit Inflator(BufferSource& buffers);
  ~Inflator();
  Inflator(const Inflator&) = delete;
  Inflator& operator=(const Inflator&) = delete;

  // A new message follows, which may refer to `history`.
  void begin(std::uint8_t window_bits, ConstBytes history) noexcept;
  // Inflates from the front of `input` into the front of `room` until one of them is used up, and
  // moves both on. False: this is not DEFLATE; what came before it has been written.
  bool run(ConstBytes& input, Bytes& room) noexcept;
  // What came so far ends with a block, without bits of another one.
  bool is_at_block_end() const noexcept;
  // It ends with a block that has BFINAL.
  bool is_at_final_end() const noexcept;
  std::size_t held_bytes() const noexcept;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

// The streams of a shard. One rests here for messages that come whole; further ones, for messages
// that are incomplete at the same time, exist as long as they are needed.
class InflatorPool {
 public:
  // `resting`: for what lives on between messages, here and in CompressedInput; `passing`: for
  // messages under way. Both outlive the pool.
  InflatorPool(BufferSource& resting, BufferSource& passing) noexcept;
  ~InflatorPool();  // REQUIRES: everything was given back.
  InflatorPool(const InflatorPool&) = delete;
  InflatorPool& operator=(const InflatorPool&) = delete;

  Inflator* take();
  void give(Inflator* stream) noexcept;
  BufferSource& resting() noexcept { return resting_; }
  BufferSource& passing() noexcept { return passing_; }

 private:
  BufferSource& resting_;
  BufferSource& passing_;
  std::unique_ptr<Inflator> rests_;
  bool is_lent_ = false;
  std::size_t extra_ = 0;
};

// What a MessageReader keeps if its peer may compress. Owned by it.
class CompressedInput {
 public:
  CompressedInput(InflatorPool& pool, DeflateSide peer) noexcept : pool_(pool), peer_(peer) {}
  ~CompressedInput();
  CompressedInput(const CompressedInput&) = delete;
  CompressedInput& operator=(const CompressedInput&) = delete;

  DeflateSide peer() const noexcept { return peer_; }
  // The stream of the message under way; begins it if there is none.
  Inflator& stream();
  // The message goes on behind `piece`, which the stream has seen.
  void keep(ConstBytes piece) noexcept;
  // All compressed bytes of the message under way that were kept.
  ConstBytes kept() const noexcept { return kept_.first(kept_size_); }
  // The message has ended; `text` is what it said.
  void end(ConstBytes text) noexcept;
  // The message under way will not end.
  void abandon() noexcept;
  // What the message under way costs; 0 between messages.
  std::size_t held_bytes() const noexcept;

  // The text that the next message may refer to. REQUIRES of `set_history`: no longer than the
  // window, and not more than once.
  ConstBytes history() const noexcept { return history_.first(history_size_); }
  std::size_t history_max() const noexcept {
    return peer_.takeover ? std::size_t{1} << peer_.window_bits : 0;
  }
  void set_history(ConstBytes text) noexcept;

 private:
  void remember(ConstBytes text) noexcept;

  InflatorPool& pool_;
  Inflator* stream_ = nullptr;
  Bytes kept_;
  Bytes history_;
  std::uint32_t kept_size_ = 0;
  std::uint32_t history_size_ = 0;
  DeflateSide peer_;
};

}  // namespace sluice::ws
