#include "gateway/shard_compression.h"

namespace sluice {

Bytes ShardCompression::Resting::take(std::size_t size) noexcept {
  const Bytes block = blocks_.take(size);
  bytes_.add(static_cast<std::int64_t>(block.size()));
  return block;
}

void ShardCompression::Resting::give(Bytes block) noexcept {
  bytes_.add(-static_cast<std::int64_t>(block.size()));
  blocks_.give(block);
}

ShardCompression::ShardCompression(const Compression& settings, BlockPool& blocks,
                                   PayloadPool& payloads, ShardCounters& counters) noexcept
    : settings_(settings),
      blocks_(blocks),
      payloads_(payloads),
      counters_(counters),
      resting_(blocks, counters.compression_bytes),
      inflators_(resting_, blocks) {}

std::optional<ws::DeflateAgreement> ShardCompression::agree(const http::Request& request) noexcept {
  if (settings_.mode == CompressionMode::kOff) return std::nullopt;
  const auto agreed = ws::choose_deflate(request, settings_.deflate());
  if (agreed) counters_.compression_agreed.add();
  return agreed;
}

// A session may come from a process with other settings: what it agreed on limits what it is sent,
// and sending it plain is always right.
Encoding ShardCompression::encoding_for(const std::optional<ws::DeflateSide>& side) const noexcept {
  if (!side || settings_.mode == CompressionMode::kOff) return Encoding::kPlain;
  if (settings_.mode == CompressionMode::kDedicated) return Encoding::kOwn;
  return side->window_bits >= settings_.window_bits ? Encoding::kShared : Encoding::kPlain;
}

std::unique_ptr<ws::Compressor> ShardCompression::make_compressor(ws::DeflateSide side) {
  return std::make_unique<ws::Compressor>(resting_, blocks_, side, settings_.memory_level);
}

std::optional<ws::Deflated> ShardCompression::compress(ws::Compressor* own,
                                                       ConstBytes message) noexcept {
  if (own == nullptr && !shared_) {
    shared_ = std::make_unique<ws::SharedCompressor>(resting_, blocks_, settings_.window_bits);
  }
  std::optional<ws::Deflated> deflated;
  if (own != nullptr) {
    deflated.emplace(own->compress(message));
  } else if (auto shared = shared_->compress(message)) {
    deflated.emplace(std::move(*shared));
  }
  counters_.deflated_from.add(message.size());
  counters_.deflated_to.add(deflated ? deflated->bytes().size() : message.size());
  return deflated;
}

Payload* ShardCompression::share(const Publication& publication) noexcept {
  Payload& plain = *publication.payload;
  if (Payload* const variant = plain.variant(Variant::kCompressed)) {
    PayloadPool::refer(*variant);
    return variant;
  }
  if (plain.lacks(Variant::kCompressed) || !is_worth_it(publication.data().size())) {
    return nullptr;
  }
  const auto deflated = compress(nullptr, publication.data());
  if (!deflated) plain.set_lacks(Variant::kCompressed);
  return deflated ? &wrap(publication, deflated->bytes(), Variant::kCompressed) : nullptr;
}

Payload& ShardCompression::make_own(ws::Compressor& own, const Publication& publication) noexcept {
  return wrap(publication, compress(&own, publication.data())->bytes(), std::nullopt);
}

Payload& ShardCompression::wrap(const Publication& publication, ConstBytes compressed,
                                std::optional<Variant> shared_as) noexcept {
  return make_framed_variant(payloads_, publication, publication.view().opcode(), compressed, true,
                             shared_as);
}

}  // namespace sluice
