// Saving and loading a MessageReader, apart from the hot path.
//
// Saved is what the peer sent, not what follows from it: the mask's rotation and the validator's
// progress are derived again, so a forged state cannot contradict itself. Of a compressed message
// the compressed bytes are saved, and inflated again.

#include <cstring>

#include "proto/ws/inflate.h"
#include "proto/ws/message_reader.h"
#include "proto/ws/unmask.h"

namespace sluice::ws {
namespace {

constexpr std::uint8_t kVersion = 1;
// Beside the stage: the peer may compress, and what is known about that follows. Beside the opcode:
// the message under way is compressed.
constexpr unsigned kDeflateBit = 0x80;
constexpr unsigned kCompressedBit = 0x40;

std::uint8_t with_bit(bool set, unsigned bit, unsigned value) noexcept {
  return static_cast<std::uint8_t>(set ? value | bit : value);
}

}  // namespace

void MessageReader::save(std::vector<std::byte>& out) const {
  Writer writer(out);
  writer.put(kVersion);
  const Stage stage = stage_ == Stage::kReported ? Stage::kIdle : stage_;
  writer.put(with_bit(deflate_ != nullptr, kDeflateBit, static_cast<unsigned>(stage)));
  if (deflate_) save_deflate(writer);
  if (!is_unfinished()) return;
  writer.put(header_size_);
  writer.put_raw(ConstBytes(header_).first(header_size_));
  writer.put(with_bit(is_compressed_, kCompressedBit, static_cast<unsigned>(message_opcode_)));
  writer.put(fragments_);
  writer.put(frame_due_);
  writer.put(control_size_);
  writer.put(received());
  const ConstBytes block = block_;
  writer.put_raw(is_compressed_ ? deflate_->kept() : block.first(message_size_));
  writer.put_raw(block.subspan(control_size_ == 0 ? 0 : message_size_, control_size_));
}

void MessageReader::save_deflate(Writer& writer) const {
  writer.put(deflate_->peer().window_bits);
  writer.put_bool(deflate_->peer().takeover);
  writer.put_bytes(deflate_->history());
}

Result<MessageReader, std::string_view> MessageReader::load(const ReaderContext& context,
                                                            ConstBytes& input) {
  Reader in(input);
  if (in.get<std::uint8_t>() != kVersion)
    return sluice::fail(std::string_view("unknown version of a message reader"));
  const auto start = in.get<std::uint8_t>();
  const auto stage = static_cast<Stage>(start & ~kDeflateBit);
  MessageReader reader(context);
  if ((start & kDeflateBit) != 0 && !reader.load_deflate(in))
    return sluice::fail(std::string_view("compression that a message reader cannot have"));
  switch (stage) {
    case Stage::kIdle:
    case Stage::kSpent:
      break;
    case Stage::kHeader:
    case Stage::kPayload:
      reader.stage_ = stage;
      if (!reader.load_frame(in))
        return sluice::fail(std::string_view("broken state of a message reader"));
      break;
    default:
      return sluice::fail(std::string_view("broken state of a message reader"));
  }
  if (!in.ok()) return sluice::fail(std::string_view("short state of a message reader"));
  reader.stage_ = stage;
  input = in.rest();
  return reader;
}

// False where this gateway does not inflate, and for anything that cannot have been agreed on.
bool MessageReader::load_deflate(Reader& in) {
  DeflateSide peer;
  peer.window_bits = in.get<std::uint8_t>();
  peer.takeover = in.get_bool();
  const ConstBytes history = in.get_bytes();
  if (!in.ok() || context_->inflators == nullptr) return false;
  if (peer.window_bits < kWindowBitsMin || peer.window_bits > kWindowBitsMax) return false;
  deflate_ = std::make_unique<CompressedInput>(*context_->inflators, peer);
  if (history.size() > deflate_->history_max()) return false;
  deflate_->set_history(history);
  return true;
}

// Reads what save() writes for an unfinished frame or message and checks that a peer could have led
// there; collects the bytes.
bool MessageReader::load_frame(Reader& in) noexcept {
  header_size_ = in.get<std::uint8_t>();
  if (header_size_ > header_.size()) return false;
  const ConstBytes header = in.get_raw(header_size_);
  const auto opcode = in.get<std::uint8_t>();
  is_compressed_ = (opcode & kCompressedBit) != 0;
  message_opcode_ = static_cast<Opcode>(opcode & ~kCompressedBit);
  fragments_ = in.get<std::uint32_t>();
  frame_due_ = in.get<std::uint32_t>();
  control_size_ = in.get<std::uint8_t>();
  const auto size = in.get<std::uint32_t>();
  if (!in.ok() || control_size_ > kControlPayloadMax) return false;
  if (is_compressed_ && (deflate_ == nullptr || fragments_ == 0)) return false;
  if (size > (is_compressed_ ? compressed_max(context_->limits) : context_->limits.max_message)) {
    return false;
  }
  if (fragments_ > context_->limits.max_fragments) return false;
  const ConstBytes message = in.get_raw(size);
  const ConstBytes control = in.get_raw(control_size_);
  if (!in.ok()) return false;
  if (!header.empty()) std::memcpy(header_.data(), header.data(), header.size());

  const bool is_data = message_opcode_ == Opcode::kText || message_opcode_ == Opcode::kBinary;
  if (fragments_ == 0 && (message_opcode_ != Opcode::kContinuation || size != 0)) return false;
  if (fragments_ != 0 && !is_data) return false;
  if (!(stage_ == Stage::kHeader ? is_header_plausible(size) : resume_payload(size))) return false;
  if (is_compressed_) {
    if (inflate(message) != FrameError::kNone) return false;
    deflate_->keep(message);
  } else {
    collect(message, 0);
    message_size_ = size;
    if (message_opcode_ == Opcode::kText && !utf8_.feed(message)) return false;
  }
  collect(control, message_size_);
  return true;
}

bool MessageReader::is_header_plausible(std::uint32_t received) const noexcept {
  if (frame_due_ != 0 || control_size_ != 0) return false;
  if (header_size_ == 0) return fragments_ != 0;
  if (header_size_ < 2) return true;
  if (check_start(fragments_) != FrameError::kNone || header_size_ >= header_due()) return false;
  return header_size_ < 2 + length_size() ||
         check_length(payload_size(), fragments_, received) == FrameError::kNone;
}

bool MessageReader::resume_payload(std::uint32_t received) noexcept {
  if (header_size_ < 2 || header_size_ != header_due() || frame_due_ == 0) return false;
  const std::uint64_t length = payload_size();
  if (frame_due_ > length) return false;
  const std::uint64_t taken = length - frame_due_;
  const bool control = is_control(frame_opcode());
  if (control ? control_size_ != taken : control_size_ != 0 || taken > received) return false;
  if (!control && fragments_ == 0) return false;

  // The header must have been right when it came, which was before it counted.
  const std::uint32_t fragments = control ? fragments_ : fragments_ - 1;
  const std::uint32_t before = received - static_cast<std::uint32_t>(control ? 0 : taken);
  if (fragments == 0 && before != 0) return false;
  if (check_start(fragments) != FrameError::kNone) return false;
  if (check_length(length, fragments, before) != FrameError::kNone) return false;
  if (!control && fragments == 0) {
    if (message_opcode_ != frame_opcode() || is_compressed_ != frame_rsv1()) return false;
  }
  if (is_masked()) {
    std::memcpy(&mask_, header_.data() + 2 + length_size(), kMaskSize);
    mask_ = rotate_mask(mask_, static_cast<std::size_t>(taken));
  }
  return true;
}

}  // namespace sluice::ws
