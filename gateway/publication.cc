#include "gateway/publication.h"

#include <array>
#include <cstring>

#include "core/base/check.h"
#include "proto/dialect/errors.h"

namespace sluice {
namespace {

enum class Tag : std::uint8_t { kPublisher = 1, kTags = 2, kId = 3, kKey = 4 };

// Of one extra, in front of its bytes: tag and size.
constexpr std::size_t kExtraHead = 1 + sizeof(std::uint16_t);
constexpr std::size_t kNameSizeBytes = sizeof(std::uint16_t);

std::size_t size_of(std::string_view extra) noexcept {
  return extra.empty() ? 0 : kExtraHead + extra.size();
}

// Of an unmasked frame, by the seven bits of its length (RFC 6455 5.2).
std::size_t header_size_of(unsigned length) noexcept {
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

std::size_t head_size(std::string_view channel, const PublicationExtras& extras) noexcept {
  return channel.size() + size_of(extras.publisher) + size_of(extras.tags) + size_of(extras.id) +
         size_of(extras.key) + kNameSizeBytes;
}

std::byte* put(std::byte* out, ConstBytes bytes) noexcept {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

std::byte* put_size(std::byte* out, std::size_t size) noexcept {
  const auto small = static_cast<std::uint16_t>(size);
  std::memcpy(out, &small, sizeof(small));
  return out + sizeof(small);
}

std::byte* put_extra(std::byte* out, Tag tag, std::string_view extra) noexcept {
  if (extra.empty()) return out;
  *out++ = static_cast<std::byte>(tag);
  return put(put_size(out, extra.size()), as_bytes(extra));
}

std::size_t get_size(const std::byte* at) noexcept {
  std::uint16_t size = 0;
  std::memcpy(&size, at, sizeof(size));
  return size;
}

}  // namespace

std::string_view PublicationView::channel() const noexcept {
  return as_text(bytes.first(get_size(&bytes[frame_at - kNameSizeBytes])));
}

PublicationExtras PublicationView::extras() const noexcept {
  PublicationExtras extras;
  const std::size_t name_size = channel().size();
  ConstBytes rest = bytes.subspan(name_size, std::size_t{frame_at} - kNameSizeBytes - name_size);
  while (!rest.empty()) {
    const auto tag = static_cast<Tag>(rest[0]);
    const std::size_t size = get_size(&rest[1]);
    const std::string_view extra = as_text(rest.subspan(kExtraHead, size));
    if (tag == Tag::kPublisher) extras.publisher = extra;
    if (tag == Tag::kTags) extras.tags = extra;
    if (tag == Tag::kId) extras.id = extra;
    if (tag == Tag::kKey) extras.key = extra;
    rest = rest.subspan(kExtraHead + size);
  }
  return extras;
}

ws::Opcode PublicationView::opcode() const noexcept {
  return static_cast<ws::Opcode>(bytes[frame_at] & std::byte{0x0f});
}

ConstBytes PublicationView::data() const noexcept {
  const ConstBytes frame = bytes.subspan(frame_at);
  const unsigned length = static_cast<unsigned>(frame[1]) & 0x7fu;
  return frame.subspan(header_size_of(length));
}

std::uint8_t conflation_mark(const Publication& publication) noexcept {
  const std::string_view key = publication.extras().key;
  if (key.empty()) return 0;
  std::uint32_t sum = 0;
  for (const char c : key) sum = sum * 31 + static_cast<unsigned char>(c);
  return static_cast<std::uint8_t>(1 + sum % 255);
}

bool are_of_one_key(const PublicationView& one, const PublicationView& other) noexcept {
  return one.extras().key == other.extras().key && one.channel() == other.channel();
}

bool is_publication(const PublicationView& view) noexcept {
  if (view.frame_at < kNameSizeBytes || view.bytes.size() < std::size_t{view.frame_at} + 2) {
    return false;
  }
  const std::size_t head = view.frame_at - kNameSizeBytes;
  std::size_t at = get_size(&view.bytes[head]);
  while (at < head) {
    if (head - at < kExtraHead) return false;
    at += kExtraHead + get_size(&view.bytes[at + 1]);
  }
  if (at != head) return false;
  const ConstBytes frame = view.bytes.subspan(view.frame_at);
  const ws::Opcode opcode = view.opcode();
  if (opcode != ws::Opcode::kText && opcode != ws::Opcode::kBinary) return false;
  const unsigned length = static_cast<unsigned>(frame[1]);
  const std::size_t header = header_size_of(length);
  if (length > 127 || frame.size() < header) return false;
  std::array<std::byte, ws::kFrameHeaderMax> expected;
  const std::size_t size = ws::encode_header(expected, opcode, true, frame.size() - header);
  return size == header && std::memcmp(expected.data(), frame.data(), size) == 0;
}

bool fits_in_head(std::string_view channel, const PublicationExtras& extras) noexcept {
  return head_size(channel, extras) <= PublicationView::kHeadBytesMax;
}

Publication make_publication(PayloadPool& pool, std::string_view channel,
                             const PublicationDraft& draft) noexcept {
  SLUICE_DCHECK(fits_in_head(channel, draft.extras));
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t header_size = ws::encode_header(header, draft.opcode, true, draft.data.size());
  const std::size_t frame_at = head_size(channel, draft.extras);
  Payload& payload = pool.make(frame_at + header_size + draft.data.size());
  std::byte* out = put(PayloadPool::writable(payload).data(), as_bytes(channel));
  out = put_extra(out, Tag::kPublisher, draft.extras.publisher);
  out = put_extra(out, Tag::kTags, draft.extras.tags);
  out = put_extra(out, Tag::kId, draft.extras.id);
  out = put_extra(out, Tag::kKey, draft.extras.key);
  out = put_size(out, channel.size());
  out = put(out, std::span(header).first(header_size));
  put(out, draft.data);
  return {&payload, static_cast<std::uint16_t>(frame_at)};
}

Payload& make_framed_variant(PayloadPool& pool, const Publication& publication, ws::Opcode opcode,
                             ConstBytes body, bool is_compressed,
                             std::optional<Variant> shared_as) noexcept {
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t header_size =
      ws::encode_header(header, opcode, true, body.size(), is_compressed);
  Payload& variant = pool.make_variant(*publication.payload,
                                       publication.frame_at + header_size + body.size(), shared_as);
  std::byte* out = put(PayloadPool::writable(variant).data(),
                       publication.payload->bytes.first(publication.frame_at));
  put(put(out, std::span(header).first(header_size)), body);
  return variant;
}

std::size_t encode_text_frame(Bytes out, std::string_view text) noexcept {
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t size = ws::encode_header(header, ws::Opcode::kText, true, text.size());
  SLUICE_CHECK(size + text.size() <= out.size());
  put(put(out.data(), std::span(header).first(size)), as_bytes(text));
  return size + text.size();
}

std::size_t encode_gap_frame(Bytes out, std::uint64_t missed) noexcept {
  std::array<char, dialect::kGapBytesMax> text;
  return encode_text_frame(out, {text.data(), dialect::write_gap(text, missed)});
}

Payload& make_text_frame(PayloadPool& pool, std::string_view text) noexcept {
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t header_size = ws::encode_header(header, ws::Opcode::kText, true, text.size());
  Payload& payload = pool.make(header_size + text.size());
  put(put(PayloadPool::writable(payload).data(), std::span(header).first(header_size)),
      as_bytes(text));
  return payload;
}

}  // namespace sluice
