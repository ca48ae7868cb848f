#include "proto/ws/frame.h"

#include <algorithm>

namespace sluice::ws {
namespace {

// The longest beginning of `text` that fits and does not end inside a character.
std::string_view cut_to(std::string_view text, std::size_t size) noexcept {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0u) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

std::size_t encode_close(std::span<std::byte, kControlFrameMax> out, CloseCode code,
                         std::string_view reason) noexcept {
  const bool has_code = code != kCloseNoStatus;
  reason = has_code ? cut_to(reason, kCloseReasonMax) : std::string_view{};
  const std::size_t payload = (has_code ? 2 : 0) + reason.size();
  out[0] = static_cast<std::byte>(0x80u | static_cast<unsigned>(Opcode::kClose));
  out[1] = static_cast<std::byte>(payload);
  if (has_code) {
    out[2] = static_cast<std::byte>(code >> 8);
    out[3] = static_cast<std::byte>(code & 0xffu);
    std::copy_n(as_bytes(reason).data(), reason.size(), out.begin() + 4);
  }
  return 2 + payload;
}

}  // namespace sluice::ws
