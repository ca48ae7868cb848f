// What a Session says, compressed if that was agreed on.
#include <array>

#include "gateway/session.h"
#include "gateway/shard_compression.h"

namespace sluice {

// A session that is never sent anything long enough never has one.
ws::Compressor* Session::own_compressor() noexcept {
  if (encoding_ != Encoding::kOwn) return nullptr;
  if (!compressor_) compressor_ = shard_.compression.make_compressor(*state_.deflate);
  return compressor_.get();
}

// False: it is to be sent plain.
bool Session::send_compressed(ws::Opcode opcode, ConstBytes data,
                              std::size_t more_expected) noexcept {
  if (!shard_.compression.is_worth_it(data.size())) return false;
  // Publications that wait may be taken back when the session ends, and an answer that refers to
  // them would leave without them.
  if (encoding_ == Encoding::kOwn && connection_->queued_payloads() > 0) return false;
  const auto deflated = shard_.compression.compress(own_compressor(), data);
  if (!deflated) return false;
  const ConstBytes body = deflated->bytes();
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t size = ws::encode_header(header, opcode, true, body.size(), true);
  connection_->write(std::span(header).first(size), body, size + body.size() + more_expected);
  return true;
}

// What stands for `publication` in this session's queue, with a reference for it. One that only
// this session can read must not be dropped from the middle, since what follows refers to it; so
// what may have to be withdrawn is not made so.
Payload& Session::encode(const Publication& publication, GiveWay& give_way) noexcept {
  if (encoding_ == Encoding::kShared) {
    if (Payload* shared = shard_.compression.share(publication)) return *shared;
  } else if (encoding_ == Encoding::kOwn && publication.mark == 0 &&
             shard_.compression.is_worth_it(publication.data().size())) {
    give_way = GiveWay::kNever;
    return shard_.compression.make_own(*own_compressor(), publication);
  }
  PayloadPool::refer(*publication.payload);
  return *publication.payload;
}

}  // namespace sluice
