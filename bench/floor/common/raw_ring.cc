#include "bench/floor/common/raw_ring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::bare {
namespace {

constexpr unsigned kSetupNoSqArray = 1u << 16;  // Linux 6.6; not in the headers of liburing 2.3

constexpr unsigned kSetup = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                            IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;

int setup(unsigned entries, unsigned completions, unsigned flags, io_uring_params& params) {
  params = {};
  params.flags = flags;
  params.cq_entries = completions;
  return static_cast<int>(syscall(__NR_io_uring_setup, entries, &params));
}

unsigned* word_at(void* base, unsigned offset) {
  return reinterpret_cast<unsigned*>(static_cast<std::byte*>(base) + offset);
}

void* map_anonymous(std::size_t size) {
  return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

}  // namespace

RawRing::~RawRing() {
  if (rings_ != nullptr) munmap(rings_, rings_size_);
  if (sqes_ != nullptr) munmap(sqes_, sq_entries_ * sizeof(io_uring_sqe));
  if (fd_ >= 0) close(fd_);
}

int RawRing::open(unsigned entries, unsigned completions) {
  io_uring_params params{};
  fd_ = setup(entries, completions, kSetup | kSetupNoSqArray, params);
  if (fd_ < 0 && errno == EINVAL) fd_ = setup(entries, completions, kSetup, params);
  if (fd_ < 0 || !map(params)) return errno;
  enter_fd_ = fd_;
  io_uring_rsrc_update update{};
  update.offset = ~0u;  // any free place
  update.data = static_cast<unsigned>(fd_);
  if (reg(IORING_REGISTER_RING_FDS, &update, 1) == 1) {
    enter_fd_ = static_cast<int>(update.offset);
    enter_flags_ = IORING_ENTER_REGISTERED_RING;
  }
  return 0;
}

bool RawRing::map(const io_uring_params& params) {
  const std::size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  const std::size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  const std::size_t size = std::max(cq_size, sq_size);
  const int flags = MAP_SHARED | MAP_POPULATE;
  void* rings = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd_, IORING_OFF_SQ_RING);
  if (rings == MAP_FAILED) return false;
  rings_ = rings;
  rings_size_ = size;
  const std::size_t entries_size = params.sq_entries * sizeof(io_uring_sqe);
  void* entries = mmap(nullptr, entries_size, PROT_READ | PROT_WRITE, flags, fd_, IORING_OFF_SQES);
  if (entries == MAP_FAILED) return false;
  sqes_ = static_cast<io_uring_sqe*>(entries);
  sq_entries_ = params.sq_entries;
  sq_tail_ = word_at(rings_, params.sq_off.tail);
  cq_head_ = word_at(rings_, params.cq_off.head);
  cq_tail_ = word_at(rings_, params.cq_off.tail);
  cq_mask_ = *word_at(rings_, params.cq_off.ring_mask);
  cqes_ = reinterpret_cast<io_uring_cqe*>(word_at(rings_, params.cq_off.cqes));
  if ((params.flags & kSetupNoSqArray) == 0) {  // an older kernel: entry i stands at place i
    unsigned* array = word_at(rings_, params.sq_off.array);
    for (unsigned i = 0; i < params.sq_entries; ++i) array[i] = i;
  }
  return true;
}

io_uring_sqe& RawRing::next_entry() {
  while (queued_ == sq_entries_) call_enter(0, 0);
  io_uring_sqe& entry = sqes_[tail_++ & (sq_entries_ - 1)];
  std::memset(&entry, 0, sizeof(entry));
  ++queued_;
  return entry;
}

int RawRing::enter(unsigned wanted) { return call_enter(wanted, IORING_ENTER_GETEVENTS); }

int RawRing::call_enter(unsigned wanted, unsigned flags) {
  __atomic_store_n(sq_tail_, tail_, __ATOMIC_RELEASE);
  const long taken = syscall(__NR_io_uring_enter, enter_fd_, queued_, wanted, flags | enter_flags_,
                             nullptr, std::size_t{0});
  if (taken < 0) return errno == EINTR || errno == EBUSY || errno == EAGAIN ? 0 : errno;
  queued_ -= static_cast<unsigned>(taken);
  return 0;
}

int RawRing::reg(unsigned opcode, void* argument, unsigned count) const {
  const long value = syscall(__NR_io_uring_register, fd_, opcode, argument, count);
  return value < 0 ? -errno : static_cast<int>(value);
}

ReceiveBuffers::~ReceiveBuffers() {
  if (ring_ != nullptr) munmap(ring_, kCount * sizeof(io_uring_buf));
  if (memory_ != nullptr) munmap(memory_, kCount * kStride);
}

int ReceiveBuffers::open(RawRing& ring) {
  void* entries = map_anonymous(kCount * sizeof(io_uring_buf));
  if (entries == MAP_FAILED) return errno;
  ring_ = static_cast<io_uring_buf_ring*>(entries);
  void* memory = map_anonymous(kCount * kStride);
  if (memory == MAP_FAILED) return errno;
  memory_ = static_cast<std::byte*>(memory);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(ring_);
  registration.ring_entries = kCount;
  if (const int value = ring.reg(IORING_REGISTER_PBUF_RING, &registration, 1); value < 0) {
    return -value;
  }
  io_uring_buf_ring_init(ring_);
  for (unsigned id = 0; id < kCount; ++id) give(id);
  publish();
  return 0;
}

void ReceiveBuffers::give(unsigned id) {
  io_uring_buf_ring_add(ring_, at(id), kSize, static_cast<unsigned short>(id),
                        io_uring_buf_ring_mask(kCount), given_++);
}

void ReceiveBuffers::publish() {
  io_uring_buf_ring_advance(ring_, given_);
  given_ = 0;
}

}  // namespace sluice::bare
