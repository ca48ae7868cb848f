// Compressed messages, apart from the hot path of those that are not.
#include <algorithm>

#include "core/base/check.h"
#include "proto/ws/inflate.h"
#include "proto/ws/message_reader.h"

namespace sluice::ws {
namespace {

// Text takes about four times as much room as what it was compressed to.
constexpr std::size_t kUsualRatio = 4;
constexpr std::size_t kFirstBlockMin = 256;

// What a sender cuts off the end of every message (RFC 7692 7.2.2).
constexpr std::byte kTail[] = {std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};

}  // namespace

MessageReader::MessageReader(const ReaderContext& context, DeflateSide peer)
    : MessageReader(context) {
  SLUICE_CHECK(context.inflators != nullptr);
  deflate_ = std::make_unique<CompressedInput>(*context.inflators, peer);
}

std::size_t MessageReader::held_bytes() const noexcept {
  return block_.size() + (deflate_ ? deflate_->held_bytes() : 0);
}

std::uint32_t MessageReader::received() const noexcept {
  return is_compressed_ ? static_cast<std::uint32_t>(deflate_->kept().size()) : message_size_;
}

// Incompressible data grows a little, and a sender may flush in every fragment.
std::uint32_t compressed_max(const ReaderLimits& limits) noexcept {
  return limits.max_message + limits.max_message / 4 + 64 + 8 * limits.max_fragments;
}

// A piece of a frame's payload; with `ended` it is the last one of the frame.
Event MessageReader::take_compressed(ConstBytes piece, bool ended) noexcept {
  if (const FrameError error = inflate(piece); error != FrameError::kNone) return refuse(error);
  if (ended && frame_fin()) {
    // Behind a block with BFINAL a sender should have begun another one (RFC 7692 7.2.3.4). Some
    // do not, and what they mean is clear. Others end with an empty block that has BFINAL itself:
    // without its last four bytes it is the single byte 0x01, which the tail completes (7.2.1).
    const Inflator& stream = deflate_->stream();
    if (!stream.is_at_final_end()) {
      if (const FrameError error = inflate(kTail); error != FrameError::kNone) return refuse(error);
      if (!stream.is_at_block_end() && !stream.is_at_final_end()) {
        return refuse(FrameError::kBadDeflate);
      }
    }
    const Bytes text = block_.first(message_size_);
    const std::size_t compressed_size = deflate_->kept().size() + piece.size();
    deflate_->end(text);
    Event event = end_message(text);
    event.compressed_size = static_cast<std::uint32_t>(compressed_size);
    return event;
  }
  deflate_->keep(piece);
  if (ended) {
    header_size_ = 0;
    stage_ = Stage::kHeader;
  }
  return {};
}

// Appends what `piece` becomes to the message in the block. There is room for one byte more than a
// message may have, which shows that it is too big.
FrameError MessageReader::inflate(ConstBytes piece) noexcept {
  const std::size_t most = std::size_t{context_->limits.max_message} + 1;
  Inflator& stream = deflate_->stream();
  Bytes room;
  do {
    if (message_size_ == block_.size()) {
      const std::size_t first = std::max(kFirstBlockMin, kUsualRatio * piece.size());
      grow(block_.empty() ? std::min(first, most) : message_size_ + 1u, message_size_);
    }
    room = block_.first(std::min(block_.size(), most)).subspan(message_size_);
    const std::size_t size = room.size();
    const bool is_deflate = stream.run(piece, room);
    const ConstBytes text = block_.subspan(message_size_, size - room.size());
    message_size_ += static_cast<std::uint32_t>(text.size());
    if (message_opcode_ == Opcode::kText && !utf8_.feed(text)) return FrameError::kInvalidUtf8;
    if (message_size_ == most) return FrameError::kMessageTooBig;
    if (!is_deflate) return FrameError::kBadDeflate;
  } while (!piece.empty() || room.empty());
  return FrameError::kNone;
}

}  // namespace sluice::ws
