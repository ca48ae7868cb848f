#include "gateway/storage/storage.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <pthread.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/check.h"

namespace sluice {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLongestPause = std::chrono::seconds(30);
// What a chunk may keep of the memory that one large batch took.
constexpr std::size_t kKeptBytes = 256 * 1024;

}  // namespace

Storage::Storage(std::unique_ptr<Store> store, const Clock& clock, const Logger& log,
                 const StorageSettings& settings)
    : store_(std::move(store)),
      clock_(clock),
      log_(log),
      settings_(settings),
      retry_pause_(kFirstPause) {}

Storage::~Storage() { stop(); }

Result<StoredState, StorageFault> Storage::open() {
  if (auto fault = store_->open()) return sluice::fail(std::move(*fault));
  auto state = store_->load();
  if (!state) return state;
  if (auto fault = drop_superseded(*state)) return sluice::fail(std::move(*fault));
  generation_ = store_->generation();
  counters_.up.set(1);
  return state;
}

// A channel that ended while nothing could be written, and began anew when it could again, is there
// twice until all shards have written everything anew. The older row is of the past: its messages
// have gone, and its offsets were perhaps given on.
std::optional<StorageFault> Storage::drop_superseded(StoredState& state) {
  absl::flat_hash_map<std::string_view, std::uint64_t> newest;
  absl::flat_hash_set<std::uint64_t> older;
  for (const StoredChannel& channel : state.channels) {
    const auto [known, is_first] = newest.try_emplace(channel.name, channel.id);
    if (is_first) continue;
    older.insert(std::min(known->second, channel.id));
    known->second = std::max(known->second, channel.id);
  }
  if (older.empty()) return std::nullopt;
  std::vector<std::byte> records;
  for (const std::uint64_t id : older) write_record(records, DropRecord{id});
  std::erase_if(state.channels,
                [&older](const StoredChannel& channel) { return older.contains(channel.id); });
  if (auto fault = store_->apply(records)) return fault;
  return store_->commit();
}

void Storage::serve(std::uint32_t shards, Wake wake) {
  wake_ = std::move(wake);
  for (std::uint32_t i = 0; i < shards; ++i) {
    lanes_.push_back(std::make_unique<StorageLane>());
    lanes_.back()->generation.store(generation_, std::memory_order_relaxed);
  }
}

void Storage::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "storage");
    run();
  });
}

void Storage::stop() noexcept {
  if (stopping_.exchange(true)) return;
  wake_up();
  if (thread_.joinable()) thread_.join();
  // Batches may have waited for room in the ring, so more than one may be left.
  while (generation_ != 0 && has_chunks()) step();
  store_->close();
}

void Storage::ring(bool is_urgent) noexcept {
  if (any_bell_.ring() || (is_urgent && urgent_bell_.ring())) wake_up();
}

void Storage::wake_up() noexcept {
  const std::lock_guard lock(mutex_);
  is_rung_ = true;
  rung_.notify_one();
}

void Storage::make_room() noexcept {
  if (!thread_.joinable()) return step();
  ring(true);
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

bool Storage::has_chunks() const noexcept {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return !lane->full.empty(); });
}

bool Storage::has_urgent() const noexcept {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return lane->is_urgent.load(std::memory_order_acquire);
  });
}

Time Storage::due(Time now) noexcept {
  if (generation_ == 0) return retry_at_.value_or(Time::max());
  if (!has_chunks()) return Time::max();
  if (has_urgent() || stopping_.load(std::memory_order_relaxed)) return now;
  if (!waiting_since_) waiting_since_ = now;
  // The other half is for applying and committing.
  return *waiting_since_ + settings_.sync_interval / 2;
}

void Storage::run() noexcept {
  while (!stopping_.load(std::memory_order_relaxed)) {
    wait();
    step();
  }
}

void Storage::wait() noexcept {
  const Time now = clock_.now();
  const Time until = due(now);
  if (until <= now) return;
  const bool is_idle = generation_ != 0 && !waiting_since_;
  Doorbell& bell = is_idle ? any_bell_ : urgent_bell_;
  const auto has_work = [&] {
    return stopping_.load(std::memory_order_seq_cst) || (is_idle ? has_chunks() : has_urgent());
  };
  if (!bell.prepare_sleep(has_work)) return;
  {
    std::unique_lock lock(mutex_);
    const auto is_rung = [this] { return is_rung_; };
    if (until == Time::max()) {
      rung_.wait(lock, is_rung);
    } else {
      rung_.wait_for(lock, until - now, is_rung);
    }
    is_rung_ = false;
  }
  bell.awake();
}

void Storage::step() noexcept {
  const Time now = clock_.now();
  if (generation_ == 0 && retry_at_ && now >= *retry_at_) try_again();
  if (generation_ != 0 && due(now) > now) return;
  waiting_since_.reset();
  collect();
  if (taken_.empty()) return;
  store_collected();
}

void Storage::collect() {
  for (std::uint32_t shard = 0; shard < lanes_.size(); ++shard) {
    StorageLane& lane = *lanes_[shard];
    // Before the chunks: what is handed over later is announced again.
    lane.is_urgent.store(false, std::memory_order_seq_cst);
    std::array<Chunk*, StorageLane::kChunks> chunks;
    const std::size_t count = lane.full.pop_batch(chunks);
    for (std::size_t i = 0; i < count; ++i) taken_.push_back({shard, chunks[i]});
  }
}

void Storage::store_collected() noexcept {
  const Time began = clock_.now();
  std::optional<StorageFault> fault;
  std::size_t bytes = 0;
  bool is_changed = false;
  for (const Taken& taken : taken_) {
    if (generation_ == 0 || taken.chunk->generation != generation_) continue;
    fault = store_->apply(taken.chunk->bytes);
    if (fault) break;
    is_changed = true;
    bytes += taken.chunk->bytes.size();
    if (taken.chunk->ends_rewriting && --rewriting_ == 0) {
      fault = store_->drop_older();
      if (fault) break;
    }
  }
  if (!fault && is_changed) fault = store_->commit();
  if (!fault && is_changed) {
    counters_.commits.add();
    counters_.bytes.add(bytes);
    counters_.commit_ns.add(static_cast<std::uint64_t>((clock_.now() - began).count()));
  }
  if (fault) fail(*fault);
  give_back(!fault);
  tell_shards();
}

void Storage::give_back(bool is_stored) noexcept {
  for (const Taken& taken : taken_) {
    StorageLane& lane = *lanes_[taken.shard];
    Chunk& chunk = *taken.chunk;
    if (is_stored && generation_ != 0 && chunk.generation == generation_) {
      lane.durable.store(chunk.last, std::memory_order_release);
    }
    lane.taken_bytes.store(lane.taken_bytes.load(std::memory_order_relaxed) + chunk.bytes.size(),
                           std::memory_order_release);
    chunk.bytes.clear();
    if (chunk.bytes.capacity() > kKeptBytes) chunk.bytes.shrink_to_fit();
    SLUICE_CHECK(lane.spare.stage(&chunk));
    lane.spare.publish();
  }
  taken_.clear();
}

void Storage::fail(const StorageFault& fault) noexcept {
  counters_.failures[static_cast<std::size_t>(fault.cause)].add();
  if (generation_ != 0) {
    log_.error("nothing is kept on disk any more; the service goes on from memory",
               {{"why", fault.text}, {"remedy", remedy(fault.cause)}});
    retry_pause_ = kFirstPause;
  } else {
    retry_pause_ = std::min(retry_pause_ * 2, kLongestPause);
  }
  generation_ = 0;
  counters_.up.set(0);
  retry_at_.reset();
  // What is broken does not mend itself.
  const bool is_hopeless =
      fault.cause == StorageCause::kCorrupt || fault.cause == StorageCause::kNewer;
  if (!is_hopeless) retry_at_ = clock_.now() + retry_pause_;
  for (const auto& lane : lanes_) lane->generation.store(0, std::memory_order_release);
}

void Storage::try_again() noexcept {
  if (auto fault = store_->open()) return fail(*fault);
  generation_ = store_->generation();
  rewriting_ = static_cast<std::uint32_t>(lanes_.size());
  retry_at_.reset();
  counters_.reopened.add();
  counters_.up.set(1);
  log_.info("storage works again; everything is written anew");
  for (const auto& lane : lanes_) lane->generation.store(generation_, std::memory_order_release);
  tell_shards();
}

void Storage::tell_shards() noexcept {
  for (std::uint32_t shard = 0; shard < lanes_.size(); ++shard) wake_(shard);
}

}  // namespace sluice
