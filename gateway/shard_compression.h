// What a shard compresses and inflates with, and what it costs.
//
// Two ways to compress: with the shard's one compressor, which remembers nothing, so that what it
// makes of a publication serves all receivers; or with a session's own, which refers to what that
// session was sent before. Which of them a session has follows from what it agreed on and from the
// operator's settings, and never changes.
#pragma once

#include <memory>
#include <optional>

#include "core/base/buffer_source.h"
#include "core/base/counter.h"
#include "core/block_pool.h"
#include "core/payload.h"
#include "gateway/config/compression.h"
#include "gateway/publication.h"
#include "gateway/shard_counters.h"
#include "proto/ws/deflate.h"
#include "proto/ws/deflate_shared.h"
#include "proto/ws/inflate.h"

namespace sluice {

// How a session's messages are compressed.
enum class Encoding : std::uint8_t { kPlain, kShared, kOwn };

// Owned by a Shard, which outlives its sessions; the shard's thread. Does not know sessions.
class ShardCompression {
 public:
  ShardCompression(const Compression& settings, BlockPool& blocks, PayloadPool& payloads,
                   ShardCounters& counters) noexcept;
  ShardCompression(const ShardCompression&) = delete;
  ShardCompression& operator=(const ShardCompression&) = delete;

  // What a client that asks like this and the gateway agree on; nothing if compression is off.
  std::optional<ws::DeflateAgreement> agree(const http::Request& request) noexcept;
  // For sessions that agreed on `side` for what the gateway sends, here or in another process.
  Encoding encoding_for(const std::optional<ws::DeflateSide>& side) const noexcept;
  ws::InflatorPool& inflators() noexcept { return inflators_; }
  // For a session with kOwn.
  std::unique_ptr<ws::Compressor> make_compressor(ws::DeflateSide side);

  bool is_worth_it(std::size_t size) const noexcept { return size >= settings_.min_size(); }
  // An answer to one client. With `own` null it stands for itself, and there is none if it would
  // not be shorter than `message`. REQUIRES of what `own` returns: it is sent.
  std::optional<ws::Deflated> compress(ws::Compressor* own, ConstBytes message) noexcept;
  // A publication, or another text frame in a Payload, for everybody with kShared: the one that is
  // there, or a new one. One reference more; null if none is worth having.
  Payload* share(const Publication& publication) noexcept;
  // The same for one session, compressed with its own compressor. REQUIRES: it is sent.
  Payload& make_own(ws::Compressor& own, const Publication& publication) noexcept;
  void count_inflated(std::size_t compressed, std::size_t plain) noexcept {
    counters_.inflated_from.add(compressed);
    counters_.inflated_to.add(plain);
  }

 private:
  // Blocks that live as long as connections do, and so are no part of what waits in queues.
  class Resting final : public BufferSource {
   public:
    Resting(BlockPool& blocks, Gauge& bytes) noexcept : blocks_(blocks), bytes_(bytes) {}
    Bytes take(std::size_t size) noexcept override;
    void give(Bytes block) noexcept override;

   private:
    BlockPool& blocks_;
    Gauge& bytes_;
  };

  Payload& wrap(const Publication& publication, ConstBytes compressed,
                std::optional<Variant> shared_as) noexcept;

  const Compression& settings_;
  BlockPool& blocks_;
  PayloadPool& payloads_;
  ShardCounters& counters_;
  Resting resting_;
  ws::InflatorPool inflators_;
  std::unique_ptr<ws::SharedCompressor> shared_;  // made when it is needed first
};

}  // namespace sluice
