#include "core/uring/buffer_ring.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "core/base/check.h"
#include "core/memory_poison.h"

namespace sluice {
namespace {

constexpr std::size_t kMemorySize = BufferRing::kCountMax * BufferRing::kStride;
constexpr std::size_t kRingSize = BufferRing::kCountMax * sizeof(io_uring_buf);
constexpr std::uint16_t kMask = BufferRing::kCountMax - 1;
static_assert((BufferRing::kCountMax & kMask) == 0, "the kernel wants a power of two");
static_assert(BufferRing::kStride % 4096 == 0, "memory is given back by the page");

void* map_anonymous(std::size_t size) noexcept {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

Result<std::unique_ptr<BufferRing>, UringError> BufferRing::create(Ring& ring) {
  std::unique_ptr<BufferRing> buffers(new BufferRing());
  buffers->memory_ = static_cast<std::byte*>(map_anonymous(kMemorySize));
  buffers->ring_ = static_cast<io_uring_buf*>(map_anonymous(kRingSize));
  if (buffers->memory_ == nullptr || buffers->ring_ == nullptr) {
    return fail(classify_uring_error(ENOMEM, "mmap of receive buffers"));
  }
  // A huge page would make two megabytes resident with the first byte.
  ::madvise(buffers->memory_, kMemorySize, MADV_NOHUGEPAGE);
  poison_memory(buffers->memory_, kMemorySize);
  io_uring_buf_reg request{};
  request.ring_addr = reinterpret_cast<std::uint64_t>(buffers->ring_);
  request.ring_entries = kCountMax;
  request.bgid = kGroup;
  const int result = ring.call_register(IORING_REGISTER_PBUF_RING, &request, 1);
  if (result < 0) return fail(classify_uring_error(-result, "registering receive buffers"));

  for (unsigned id = kCountMax; id-- > kCountMin;) {
    buffers->spare_.push_back(static_cast<std::uint16_t>(id));
  }
  for (unsigned id = 0; id < kCountMin; ++id) buffers->put(static_cast<std::uint16_t>(id));
  buffers->count_ = kCountMin;
  buffers->publish();
  return buffers;
}

BufferRing::~BufferRing() {
  if (memory_ != nullptr) {
    unpoison_memory(memory_, kMemorySize);
    ::munmap(memory_, kMemorySize);
  }
  if (ring_ != nullptr) ::munmap(ring_, kRingSize);
}

// Field by field: entry 0's last field is the tail.
void BufferRing::put(std::uint16_t id) noexcept {
  io_uring_buf& entry = ring_[tail_ & kMask];
  entry.addr = reinterpret_cast<std::uint64_t>(buffer(id));
  entry.len = kSize;
  entry.bid = id;
  ++tail_;
}

Bytes BufferRing::take(std::uint16_t id, std::size_t size) noexcept {
  SLUICE_DCHECK(id < kCountMax);
  ++taken_;
  ++taken_at_once_;
  unpoison_memory(buffer(id), size + kReadSlack);
  return {buffer(id), size};
}

void BufferRing::give(std::uint16_t id) noexcept {
  SLUICE_DCHECK(taken_ > 0);
  --taken_;
  poison_memory(buffer(id), kStride);
  put(id);
}

void BufferRing::publish() noexcept {
  peak_ = std::max(peak_, taken_at_once_);
  taken_at_once_ = 0;
  if (tail_ == published_) return;
  published_ = tail_;
  __atomic_store_n(&ring_[0].resv, tail_, __ATOMIC_RELEASE);
}

bool BufferRing::grow() noexcept {
  peak_ = count_;
  if (count_ == kCountMax) return false;
  const unsigned wanted = std::min(count_ * 2, kCountMax);
  for (; count_ < wanted; ++count_) {
    put(spare_.back());
    spare_.pop_back();
  }
  publish();
  return true;
}

// The kernel takes buffers only inside our calls, so now it has taken exactly those whose
// completions we saw, and the last ones in the ring can be withdrawn by moving the tail back.
void BufferRing::shrink() noexcept {
  SLUICE_CHECK(taken_ == 0);
  SLUICE_CHECK(tail_ == published_);
  const bool was_enough = peak_ <= count_ / 4;
  peak_ = 0;
  if (!was_enough) return;
  const unsigned wanted = std::max(count_ / 2, kCountMin);
  for (; count_ > wanted; --count_) {
    --tail_;
    const std::uint16_t id = ring_[tail_ & kMask].bid;
    ::madvise(buffer(id), kStride, MADV_DONTNEED);
    spare_.push_back(id);
  }
  publish();
}

}  // namespace sluice
