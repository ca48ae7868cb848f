// Saving and loading a MessageReader, apart from the hot path.
//
// Saved is what the peer sent, not what follows from it: the mask's rotation and the validator's
// progress are derived again, so a forged state cannot contradict itself.

#include <cstring>

#include "proto/ws/message_reader.h"
#include "proto/ws/unmask.h"

namespace sluice::ws {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

void MessageReader::save(std::vector<std::byte>& out) const {
  Writer writer(out);
  writer.put(kVersion);
  writer.put(stage_ == Stage::kReported ? Stage::kIdle : stage_);
  if (!is_unfinished()) return;
  writer.put(header_size_);
  writer.put_raw(ConstBytes(header_).first(header_size_));
  writer.put(message_opcode_);
  writer.put(fragments_);
  writer.put(frame_due_);
  writer.put(control_size_);
  writer.put(message_size_);
  if (!block_.empty()) writer.put_raw(block_.first(message_size_ + control_size_));
}

Result<MessageReader, std::string_view> MessageReader::load(const ReaderContext& context,
                                                            ConstBytes& input) {
  Reader in(input);
  if (in.get<std::uint8_t>() != kVersion)
    return sluice::fail(std::string_view("unknown version of a message reader"));
  const auto stage = in.get<Stage>();
  MessageReader reader(context);
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

// Reads what save() writes for an unfinished frame or message and checks that a peer could have led
// there; collects the bytes.
bool MessageReader::load_frame(Reader& in) noexcept {
  header_size_ = in.get<std::uint8_t>();
  if (header_size_ > header_.size()) return false;
  const ConstBytes header = in.get_raw(header_size_);
  message_opcode_ = in.get<Opcode>();
  fragments_ = in.get<std::uint32_t>();
  frame_due_ = in.get<std::uint32_t>();
  control_size_ = in.get<std::uint8_t>();
  message_size_ = in.get<std::uint32_t>();
  if (!in.ok() || control_size_ > kControlPayloadMax) return false;
  if (message_size_ > context_->limits.max_message) return false;
  if (fragments_ > context_->limits.max_fragments) return false;
  const ConstBytes collected = in.get_raw(message_size_ + control_size_);
  if (!in.ok()) return false;
  if (!header.empty()) std::memcpy(header_.data(), header.data(), header.size());

  const bool is_data = message_opcode_ == Opcode::kText || message_opcode_ == Opcode::kBinary;
  if (fragments_ == 0 && (message_opcode_ != Opcode::kContinuation || message_size_ != 0)) {
    return false;
  }
  if (fragments_ != 0 && !is_data) return false;
  if (!(stage_ == Stage::kHeader ? is_header_plausible() : resume_payload())) return false;
  collect(collected, 0);
  return message_opcode_ != Opcode::kText || utf8_.feed(collected.first(message_size_));
}

bool MessageReader::is_header_plausible() const noexcept {
  if (frame_due_ != 0 || control_size_ != 0) return false;
  if (header_size_ == 0) return fragments_ != 0;
  if (header_size_ < 2) return true;
  if (check_start() != FrameError::kNone || header_size_ >= header_due()) return false;
  return header_size_ < 2 + length_size() || check_length(payload_size()) == FrameError::kNone;
}

bool MessageReader::resume_payload() noexcept {
  if (header_size_ < 2 || header_size_ != header_due() || frame_due_ == 0) return false;
  const std::uint64_t length = payload_size();
  if (frame_due_ > length) return false;
  const std::uint64_t taken = length - frame_due_;
  const bool control = is_control(frame_opcode());
  if (control ? control_size_ != taken : control_size_ != 0 || taken > message_size_) return false;
  if (!control && fragments_ == 0) return false;

  // The header must have been right when it came, which was before it counted.
  MessageReader before(*context_);
  before.header_ = header_;
  before.fragments_ = control ? fragments_ : fragments_ - 1;
  before.message_size_ = message_size_ - static_cast<std::uint32_t>(control ? 0 : taken);
  if (before.fragments_ == 0 && before.message_size_ != 0) return false;
  if (before.check_start() != FrameError::kNone) return false;
  if (before.check_length(length) != FrameError::kNone) return false;
  if (!control && before.fragments_ == 0 && message_opcode_ != frame_opcode()) return false;
  if (is_masked()) {
    std::memcpy(&mask_, header_.data() + 2 + length_size(), kMaskSize);
    mask_ = rotate_mask(mask_, static_cast<std::size_t>(taken));
  }
  return true;
}

}  // namespace sluice::ws
