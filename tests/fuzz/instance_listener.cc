#include "tests/fuzz/instance_listener.h"

#include <charconv>
#include <utility>

#include "core/base/check.h"
#include "core/base/random.h"

namespace sluice::fuzz {
namespace {

constexpr std::string_view kMark = R"("mark":")";

std::uint64_t proof_of(const Mark& mark, std::uint64_t secret) {
  std::uint64_t proof = secret;
  for (const char c : mark.to) proof = Random(proof + static_cast<unsigned char>(c)).next();
  return Random(Random(proof + mark.speaker).next() + mark.number).next();
}

std::string_view cut(std::string_view& text, char end) {
  const std::size_t size = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return part;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string to_text(const Mark& mark, std::uint64_t secret) {
  return std::string(kMark) + mark.to + "." + std::to_string(mark.speaker) + "." +
         std::to_string(mark.number) + "." + std::to_string(proof_of(mark, secret)) + "\"";
}

Listener::Listener(test::TestBuffers& buffers, ws::InflatorPool& inflators, std::uint64_t secret)
    : context_{ws::Role::kClient,
               {1u << 24, 4096},
               Simd::of(SimdLevel::kScalar),
               &buffers,
               &inflators},
      reader_(context_),
      secret_(secret) {}

void Listener::hear(std::string bytes) {
  if (!is_open_) {
    head_ += bytes;
    SLUICE_CHECK(head_.starts_with(std::string_view("HTTP/1.1 ").substr(0, head_.size())));
    find_position();
    const std::size_t end = head_.find("\r\n\r\n");
    if (!head_.starts_with("HTTP/1.1 101") || end == std::string::npos) return;
    bytes = head_.substr(end + 4);
    open(end);
  }
  const test::InputPiece piece(as_bytes(bytes));
  Bytes input = piece.bytes();
  for (ws::Event event = reader_.next(input); event.kind != ws::EventKind::kNone;
       event = reader_.next(input)) {
    SLUICE_CHECK(event.kind != ws::EventKind::kError);
    if (event.kind == ws::EventKind::kText) check_order(as_text(event.payload));
  }
}

void Listener::open(std::size_t head_size) {
  is_open_ = true;
  has_compression_ = head_.find("Sec-WebSocket-Extensions: permessage-deflate") < head_size;
  if (!has_compression_) return;
  const bool takeover = head_.find("server_no_context_takeover") > head_size;
  reader_ = ws::MessageReader(context_, {ws::kWindowBitsMax, takeover});
}

void Listener::find_position() {
  for (const std::string_view before : {R"("position":")", R"(data-position=")"}) {
    const std::size_t at = head_.rfind(before);
    if (at == std::string::npos) continue;
    std::string_view rest = std::string_view(head_).substr(at + before.size());
    position_ = cut(rest, '"');
  }
}

void Listener::check_order(std::string_view text) {
  constexpr std::string_view kMid = R"("mid":")";
  if (const std::size_t mid = text.find(kMid); mid != std::string_view::npos) {
    std::string_view rest = text.substr(mid + kMid.size());
    mid_ = cut(rest, '"');
  }
  const std::size_t at = text.find(kMark);
  if (at == std::string_view::npos) return;
  std::string_view rest = text.substr(at + kMark.size());
  Mark mark;
  mark.to = cut(rest, '.');
  mark.speaker = number_of(cut(rest, '.'));
  mark.number = number_of(cut(rest, '.'));
  if (number_of(cut(rest, '"')) != proof_of(mark, secret_)) return;  // a client's own invention
  if (mark.to.size() == 1 && !is_one_user_) return;
  std::uint64_t& newest = newest_[mark.to + "." + std::to_string(mark.speaker)];
  SLUICE_CHECK(mark.number > std::exchange(newest, mark.number));
}

}  // namespace sluice::fuzz
