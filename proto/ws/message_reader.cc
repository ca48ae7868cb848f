#include "proto/ws/message_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "proto/ws/inflate.h"
#include "proto/ws/unmask.h"

namespace sluice::ws {
namespace {

// The smallest block worth asking for: most messages that are cut off fit.
constexpr std::size_t kBlockMin = 256;

constexpr unsigned kMaskBit = 0x80;

unsigned byte_at(Bytes bytes, std::size_t i) noexcept { return static_cast<unsigned>(bytes[i]); }

bool is_known(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::kContinuation:
    case Opcode::kText:
    case Opcode::kBinary:
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong:
      return true;
  }
  return false;
}

}  // namespace

MessageReader::MessageReader(const ReaderContext& context) noexcept : context_(&context) {
  SLUICE_CHECK(context.buffers != nullptr);
  SLUICE_CHECK(context.limits.max_message <= kMaxMessageCeiling);
  SLUICE_CHECK(context.limits.max_fragments > 0);
}

MessageReader::~MessageReader() { release(); }

MessageReader::MessageReader(MessageReader&& other) noexcept
    : context_(other.context_),
      deflate_(std::move(other.deflate_)),
      block_(std::exchange(other.block_, {})),
      message_size_(other.message_size_),
      frame_due_(other.frame_due_),
      fragments_(other.fragments_),
      mask_(other.mask_),
      utf8_(other.utf8_),
      header_(other.header_),
      header_size_(other.header_size_),
      control_size_(other.control_size_),
      stage_(std::exchange(other.stage_, Stage::kSpent)),
      message_opcode_(other.message_opcode_),
      is_compressed_(other.is_compressed_) {}

MessageReader& MessageReader::operator=(MessageReader&& other) noexcept {
  if (this != &other) {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
  }
  return *this;
}

bool MessageReader::is_unfinished() const noexcept {
  return stage_ == Stage::kHeader || stage_ == Stage::kPayload;
}

Event MessageReader::next(Bytes& input) noexcept {
  Event event;
  if (stage_ == Stage::kIdle && next_whole(input, event)) return event;
  return next_slow(input);
}

// An unfragmented message of less than 64 KiB that lies in the input completely: nearly all there
// are. Anything else, errors in headers included, is left to the general path.
bool MessageReader::next_whole(Bytes& input, Event& event) noexcept {
  if (input.size() < 4) return false;
  const unsigned start = byte_at(input, 0);
  if (start != 0x81 && start != 0x82) return false;
  const bool masked = is_masked();
  std::size_t length = byte_at(input, 1) ^ (masked ? kMaskBit : 0u);
  std::size_t header = 2;
  if (length >= 126) {
    if (length != 126) return false;
    length = byte_at(input, 2) << 8 | byte_at(input, 3);
    if (length < 126) return false;
    header = 4;
  }
  header += masked ? kMaskSize : 0;
  if (input.size() < header + length || length > context_->limits.max_message) return false;

  event.payload = input.subspan(header, length);
  bool ascii = false;
  if (masked) {
    std::uint32_t key = 0;
    std::memcpy(&key, input.data() + header - kMaskSize, kMaskSize);
    ascii = !context_->simd.unmask(event.payload.data(), length, key);
  }
  input = input.subspan(header + length);
  if (start == 0x82) {
    event.kind = EventKind::kBinary;
  } else if (ascii || is_valid_utf8(event.payload)) {
    event.kind = EventKind::kText;
  } else {
    event = refuse(FrameError::kInvalidUtf8);
  }
  return true;
}

Event MessageReader::next_slow(Bytes& input) noexcept {
  if (stage_ == Stage::kSpent) {
    release();
    input = input.last(0);
    return {};
  }
  if (stage_ == Stage::kReported) {
    release();
    stage_ = Stage::kIdle;
  }
  for (;;) {
    if (stage_ != Stage::kPayload) {
      bool complete = false;
      if (const FrameError error = read_header(input, complete); error != FrameError::kNone) {
        return refuse(error);
      }
      if (!complete) return {};
    }
    if (input.empty() && frame_due_ != 0) return {};
    if (const Event event = take_payload(input); event.kind != EventKind::kNone) return event;
  }
}

// Takes bytes until the header has `size` of them; false if the input ended before.
bool MessageReader::fill_header(Bytes& input, std::size_t size) noexcept {
  if (header_size_ >= size) return true;
  const std::size_t taken = std::min(input.size(), size - header_size_);
  if (taken != 0) {
    std::memcpy(header_.data() + header_size_, input.data(), taken);
    header_size_ = static_cast<std::uint8_t>(header_size_ + taken);
    input = input.subspan(taken);
    stage_ = Stage::kHeader;
  }
  return header_size_ == size;
}

// Each part is judged as soon as it is there: an error needs no more bytes than show it.
FrameError MessageReader::read_header(Bytes& input, bool& complete) noexcept {
  if (!fill_header(input, 2)) return FrameError::kNone;
  if (const FrameError error = check_start(fragments_); error != FrameError::kNone) return error;
  if (!fill_header(input, 2 + length_size())) return FrameError::kNone;
  const std::uint64_t length = payload_size();
  if (const FrameError error = check_length(length, fragments_, received());
      error != FrameError::kNone) {
    return error;
  }
  if (!fill_header(input, header_due())) return FrameError::kNone;
  begin_payload(length);
  complete = true;
  return FrameError::kNone;
}

// The first two bytes (RFC 6455 5.2, 5.4, 5.5), given the frames of the message under way.
FrameError MessageReader::check_start(std::uint32_t fragments) const noexcept {
  const auto start = static_cast<unsigned>(header_[0]);
  const auto second = static_cast<unsigned>(header_[1]);
  const Opcode opcode = frame_opcode();
  if ((start & 0x30u) != 0) return FrameError::kReservedBits;
  if (frame_rsv1()) {
    const bool begins = opcode == Opcode::kText || opcode == Opcode::kBinary;
    if (!begins || deflate_ == nullptr) return FrameError::kReservedBits;
  }
  if (!is_known(opcode)) return FrameError::kUnknownOpcode;
  if (is_control(opcode)) {
    if (!frame_fin()) return FrameError::kControlFragmented;
    if ((second & 0x7fu) > kControlPayloadMax) return FrameError::kControlTooLong;
  } else {
    const bool continues = opcode == Opcode::kContinuation;
    if (continues && fragments == 0) return FrameError::kUnexpectedContinuation;
    if (!continues && fragments != 0) return FrameError::kExpectedContinuation;
    if (fragments >= context_->limits.max_fragments) return FrameError::kTooManyFragments;
  }
  if (is_masked() && (second & kMaskBit) == 0) return FrameError::kNotMasked;
  if (!is_masked() && (second & kMaskBit) != 0) return FrameError::kMasked;
  return FrameError::kNone;
}

std::uint64_t MessageReader::payload_size() const noexcept {
  const std::size_t size = length_size();
  if (size == 0) return static_cast<unsigned>(header_[1]) & 0x7fu;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < size; ++i) {
    length = length << 8 | static_cast<std::uint64_t>(header_[2 + i]);
  }
  return length;
}

FrameError MessageReader::check_length(std::uint64_t length, std::uint32_t fragments,
                                       std::uint32_t received) const noexcept {
  const std::size_t size = length_size();
  if (size == 2 && length < 126) return FrameError::kLengthNotMinimal;
  if (size == 8 && length <= 0xffff) return FrameError::kLengthNotMinimal;
  if (size == 8 && length >> 63 != 0) return FrameError::kLengthTopBit;
  if (is_control(frame_opcode())) return FrameError::kNone;
  const bool compressed = fragments == 0 ? frame_rsv1() : is_compressed_;
  const std::uint32_t most =
      compressed ? compressed_max(context_->limits) : context_->limits.max_message;
  if (length > most - received) return FrameError::kMessageTooBig;
  return FrameError::kNone;
}

void MessageReader::begin_payload(std::uint64_t length) noexcept {
  stage_ = Stage::kPayload;
  frame_due_ = static_cast<std::uint32_t>(length);
  control_size_ = 0;
  if (is_masked()) std::memcpy(&mask_, header_.data() + 2 + length_size(), kMaskSize);
  if (is_control(frame_opcode())) return;
  if (fragments_ == 0) {
    message_opcode_ = frame_opcode();
    is_compressed_ = frame_rsv1();
    utf8_.reset();
  }
  ++fragments_;
}

// Takes what the input has of the frame's payload. kNone: the frame or the message is to go on.
Event MessageReader::take_payload(Bytes& input) noexcept {
  const Bytes piece = input.first(std::min<std::size_t>(input.size(), frame_due_));
  input = input.subspan(piece.size());
  frame_due_ -= static_cast<std::uint32_t>(piece.size());
  bool ascii = false;
  if (is_masked()) {
    ascii = !context_->simd.unmask(piece.data(), piece.size(), mask_);
    mask_ = rotate_mask(mask_, piece.size());
  }
  const bool ended = frame_due_ == 0;

  if (is_control(frame_opcode())) {
    if (ended && control_size_ == 0) return end_control(piece);
    collect(piece, message_size_ + control_size_);
    control_size_ = static_cast<std::uint8_t>(control_size_ + piece.size());
    return ended ? end_control(block_.subspan(message_size_, control_size_)) : Event{};
  }

  if (is_compressed_) return take_compressed(piece, ended);
  if (message_opcode_ == Opcode::kText && !utf8_.feed(piece, ascii)) {
    return refuse(FrameError::kInvalidUtf8);
  }
  const bool last = ended && frame_fin();
  if (last && message_size_ == 0) return end_message(piece);
  collect(piece, message_size_);
  message_size_ += static_cast<std::uint32_t>(piece.size());
  if (last) return end_message(block_.first(message_size_));
  if (ended) {
    header_size_ = 0;
    stage_ = Stage::kHeader;
  }
  return {};
}

Event MessageReader::end_message(Bytes payload) noexcept {
  const bool is_text = message_opcode_ == Opcode::kText;
  if (is_text && !utf8_.at_boundary()) return refuse(FrameError::kInvalidUtf8);
  message_opcode_ = Opcode::kContinuation;
  is_compressed_ = false;
  message_size_ = 0;
  fragments_ = 0;
  header_size_ = 0;
  stage_ = block_.empty() ? Stage::kIdle : Stage::kReported;
  Event event;
  event.kind = is_text ? EventKind::kText : EventKind::kBinary;
  event.payload = payload;
  return event;
}

Event MessageReader::end_control(Bytes payload) noexcept {
  const Opcode opcode = frame_opcode();
  if (opcode == Opcode::kClose) return end_close(payload);
  header_size_ = 0;
  control_size_ = 0;
  if (fragments_ != 0) {
    stage_ = Stage::kHeader;
  } else {
    stage_ = block_.empty() ? Stage::kIdle : Stage::kReported;
  }
  Event event;
  event.kind = opcode == Opcode::kPing ? EventKind::kPing : EventKind::kPong;
  event.payload = payload;
  return event;
}

Event MessageReader::end_close(Bytes payload) noexcept {
  Event event;
  event.kind = EventKind::kClose;
  event.code = kCloseNoStatus;
  if (!payload.empty()) {
    if (payload.size() < 2) return refuse(FrameError::kCloseTooShort);
    event.code = static_cast<CloseCode>(byte_at(payload, 0) << 8 | byte_at(payload, 1));
    if (!may_be_sent(event.code)) return refuse(FrameError::kCloseCodeInvalid);
    event.payload = payload.subspan(2);
    if (!is_valid_utf8(event.payload)) return refuse(FrameError::kCloseReasonInvalid);
  }
  stage_ = Stage::kSpent;  // the block, if any, holds the reason and goes with the next call
  if (deflate_) deflate_->abandon();
  return event;
}

Event MessageReader::refuse(FrameError error) noexcept {
  release();
  if (deflate_) deflate_->abandon();
  stage_ = Stage::kSpent;
  Event event;
  event.kind = EventKind::kError;
  event.error = error;
  event.code = describe(error).code;
  return event;
}

// Puts `piece` at offset `at` of the block, behind everything collected so far.
void MessageReader::collect(ConstBytes piece, std::size_t at) noexcept {
  if (piece.empty()) return;
  const std::size_t needed = at + piece.size();
  if (needed > block_.size()) grow(needed, at);
  std::memcpy(block_.data() + at, piece.data(), piece.size());
}

// Gets a block for `needed` bytes or more, of which `used` are kept.
void MessageReader::grow(std::size_t needed, std::size_t used) noexcept {
  // Close to the limit at once to it, or the largest messages would be copied once more.
  const std::size_t doubled = std::max(kBlockMin, 2 * block_.size());
  const std::size_t wanted = doubled + doubled / 4 < context_->limits.max_message
                                 ? doubled
                                 : context_->limits.max_message + kControlPayloadMax;
  const Bytes grown = context_->buffers->take(std::max(needed, wanted));
  if (used != 0) std::memcpy(grown.data(), block_.data(), used);
  release();
  block_ = grown;
}

void MessageReader::release() noexcept {
  if (!block_.empty()) context_->buffers->give(std::exchange(block_, {}));
}

}  // namespace sluice::ws
