#include "gateway/publication.h"

#include <array>
#include <cstring>

#include "core/base/check.h"
#include "proto/dialect/errors.h"
#include "proto/ws/frame.h"

namespace sluice {
namespace {

Payload& make(PayloadPool& pool, std::string_view name, ConstBytes data) noexcept {
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t header_size = ws::encode_header(header, ws::Opcode::kText, true, data.size());
  Payload& payload = pool.make(name.size() + header_size + data.size());
  std::byte* out = PayloadPool::writable(payload).data();
  if (!name.empty()) std::memcpy(out, name.data(), name.size());
  std::memcpy(out + name.size(), header.data(), header_size);
  if (!data.empty()) std::memcpy(out + name.size() + header_size, data.data(), data.size());
  return payload;
}

}  // namespace

ConstBytes Publication::data() const noexcept {
  const ConstBytes frame = payload->bytes.subspan(name_size);
  const unsigned length = static_cast<unsigned>(frame[1]) & 0x7fu;
  return frame.subspan(length < 126 ? 2 : length == 126 ? 4 : 10);
}

Publication make_publication(PayloadPool& pool, std::string_view channel,
                             ConstBytes data) noexcept {
  SLUICE_DCHECK(channel.size() <= 0xffff);
  return {&make(pool, channel, data), static_cast<std::uint16_t>(channel.size())};
}

std::size_t encode_gap_frame(Bytes out, std::uint64_t missed) noexcept {
  std::array<char, dialect::kGapBytesMax> text;
  const std::size_t size = dialect::write_gap(text, missed);
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t header_size = ws::encode_header(header, ws::Opcode::kText, true, size);
  SLUICE_DCHECK(header_size + size <= out.size());
  std::memcpy(out.data(), header.data(), header_size);
  std::memcpy(out.data() + header_size, text.data(), size);
  return header_size + size;
}

Payload& make_text_frame(PayloadPool& pool, std::string_view text) noexcept {
  return make(pool, {}, as_bytes(text));
}

}  // namespace sluice
