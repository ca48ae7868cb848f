#include "proto/ws/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "proto/ws/zlib_memory.h"

namespace sluice::ws {
namespace {

constexpr std::size_t kBlockMin = 256;

// z_stream::data_type after a call: the unused bits of the last byte, and whether a block has just
// ended.
constexpr int kUnusedBits = 63;
constexpr int kBlockEnded = 128;

}  // namespace

struct Inflator::Stream {
  explicit Stream(BufferSource& buffers) noexcept : memory(buffers) { memory.serve(z); }

  ZlibMemory memory;
  z_stream z{};
  bool is_at_final_end = false;
};

Inflator::Inflator(BufferSource& buffers) : stream_(std::make_unique<Stream>(buffers)) {
  SLUICE_CHECK(inflateInit2(&stream_->z, -kWindowBitsMax) == Z_OK);
}

Inflator::~Inflator() { inflateEnd(&stream_->z); }

void Inflator::begin(std::uint8_t window_bits, ConstBytes history) noexcept {
  z_stream& z = stream_->z;
  stream_->is_at_final_end = false;
  SLUICE_CHECK(inflateReset2(&z, -int{window_bits}) == Z_OK);
  if (history.empty()) return;
  SLUICE_CHECK(inflateSetDictionary(&z, reinterpret_cast<const Bytef*>(history.data()),
                                    static_cast<uInt>(history.size())) == Z_OK);
}

bool Inflator::run(ConstBytes& input, Bytes& room) noexcept {
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
  z.avail_in = static_cast<uInt>(input.size());
  z.next_out = reinterpret_cast<Bytef*>(room.data());
  z.avail_out = static_cast<uInt>(room.size());
  int outcome = Z_OK;
  do {
    outcome = inflate(&z, Z_SYNC_FLUSH);
    // A block with BFINAL ends a stream, not a message: what follows begins at the next byte and
    // may refer to what came before (RFC 7692 7.2.3.4).
    if (outcome == Z_STREAM_END) SLUICE_CHECK(inflateResetKeep(&z) == Z_OK);
    if (outcome == Z_OK || outcome == Z_STREAM_END) {
      stream_->is_at_final_end = outcome == Z_STREAM_END;
    }
  } while (outcome == Z_STREAM_END && z.avail_in != 0);
  SLUICE_CHECK(outcome != Z_MEM_ERROR && outcome != Z_STREAM_ERROR);
  input = input.last(z.avail_in);
  room = room.last(z.avail_out);
  return outcome != Z_DATA_ERROR;
}

bool Inflator::is_at_block_end() const noexcept {
  const int state = stream_->z.data_type;
  return (state & kBlockEnded) != 0 && (state & kUnusedBits) == 0;
}

bool Inflator::is_at_final_end() const noexcept { return stream_->is_at_final_end; }

std::size_t Inflator::held_bytes() const noexcept { return stream_->memory.size(); }

InflatorPool::InflatorPool(BufferSource& resting, BufferSource& passing) noexcept
    : resting_(resting), passing_(passing) {}

InflatorPool::~InflatorPool() { SLUICE_CHECK(!is_lent_ && extra_ == 0); }

Inflator* InflatorPool::take() {
  if (is_lent_) {
    ++extra_;
    return std::make_unique<Inflator>(passing_).release();
  }
  if (!rests_) rests_ = std::make_unique<Inflator>(resting_);
  is_lent_ = true;
  return rests_.get();
}

void InflatorPool::give(Inflator* stream) noexcept {
  if (stream == rests_.get()) {
    SLUICE_CHECK(is_lent_);
    is_lent_ = false;
    return;
  }
  --extra_;
  const std::unique_ptr<Inflator> ends_here(stream);
}

CompressedInput::~CompressedInput() {
  abandon();
  if (!history_.empty()) pool_.resting().give(history_);
}

Inflator& CompressedInput::stream() {
  if (stream_ == nullptr) {
    stream_ = pool_.take();
    stream_->begin(peer_.window_bits, history());
  }
  return *stream_;
}

void CompressedInput::keep(ConstBytes piece) noexcept {
  if (piece.empty()) return;
  const std::size_t needed = kept_size_ + piece.size();
  if (needed > kept_.size()) {
    const Bytes grown = pool_.passing().take(std::max({needed, kBlockMin, 2 * kept_.size()}));
    if (kept_size_ != 0) std::memcpy(grown.data(), kept_.data(), kept_size_);
    if (!kept_.empty()) pool_.passing().give(kept_);
    kept_ = grown;
  }
  std::memcpy(kept_.data() + kept_size_, piece.data(), piece.size());
  kept_size_ = static_cast<std::uint32_t>(needed);
}

void CompressedInput::end(ConstBytes text) noexcept {
  abandon();
  if (peer_.takeover) remember(text);
}

void CompressedInput::abandon() noexcept {
  if (stream_ != nullptr) pool_.give(std::exchange(stream_, nullptr));
  if (!kept_.empty()) pool_.passing().give(std::exchange(kept_, {}));
  kept_size_ = 0;
}

std::size_t CompressedInput::held_bytes() const noexcept {
  return kept_.size() + (stream_ == nullptr ? 0 : stream_->held_bytes());
}

void CompressedInput::set_history(ConstBytes text) noexcept {
  SLUICE_CHECK(history_.empty() && text.size() <= history_max());
  remember(text);
}

// Keeps the end of history and text together, as much as the window reaches.
void CompressedInput::remember(ConstBytes text) noexcept {
  if (text.empty()) return;
  const std::size_t window = history_max();
  const std::size_t added = std::min(text.size(), window);
  const std::size_t stays = std::min<std::size_t>(history_size_, window - added);
  const ConstBytes old = history().last(stays);
  if (stays + added > history_.size()) {
    const std::size_t wanted = std::max({stays + added, kBlockMin, 2 * history_.size()});
    const Bytes grown = pool_.resting().take(std::min(wanted, window));
    if (stays != 0) std::memcpy(grown.data(), old.data(), stays);
    if (!history_.empty()) pool_.resting().give(history_);
    history_ = grown;
  } else if (stays != 0) {
    std::memmove(history_.data(), old.data(), stays);
  }
  std::memcpy(history_.data() + stays, text.last(added).data(), added);
  history_size_ = static_cast<std::uint32_t>(stays + added);
}

}  // namespace sluice::ws
