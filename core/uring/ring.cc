#include "core/uring/ring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

namespace sluice {
namespace {

// What the rest of core/uring relies on without asking again.
constexpr std::uint32_t kNeededFeatures = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP |
                                          IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL |
                                          IORING_FEAT_CQE_SKIP;

// One thread submits and reaps, deferred work runs only inside our call, one bad entry does not
// hold up the others, and a queue larger than allowed is made smaller rather than refused.
constexpr std::uint32_t kSetupFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                      IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                                      IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;

int setup(io_uring_params& params, unsigned sq_entries, std::uint32_t flags) noexcept {
  params = io_uring_params{};
  params.flags = flags;
  params.cq_entries = sq_entries * kCqPerSq;
  const long descriptor = ::syscall(__NR_io_uring_setup, sq_entries, &params);
  return descriptor >= 0 ? static_cast<int>(descriptor) : -errno;
}

template <class T>
T* at_offset(void* base, std::uint32_t offset) noexcept {
  return reinterpret_cast<T*>(static_cast<std::byte*>(base) + offset);
}

}  // namespace

Result<std::unique_ptr<Ring>, UringError> Ring::create(unsigned sq_entries) {
  io_uring_params params;
  std::uint32_t flags = kSetupFlags | kSetupNoSqArray;
  int descriptor = setup(params, sq_entries, flags);
  if (descriptor == -EINVAL) {  // before 6.6
    flags = kSetupFlags;
    descriptor = setup(params, sq_entries, flags);
  }
  while (descriptor == -ENOMEM && sq_entries / 2 >= kSqEntriesMin) {
    sq_entries /= 2;
    descriptor = setup(params, sq_entries, flags);
  }
  if (descriptor < 0) return fail(classify_uring_error(-descriptor, "io_uring_setup"));

  std::unique_ptr<Ring> ring(new Ring());
  ring->descriptor_ = descriptor;
  ring->features_ = params.features;
  if ((params.features & kNeededFeatures) != kNeededFeatures) {
    return fail(UringError{UringFailure::kTooOld, 0, "features"});
  }
  const int error = ring->map(params, (flags & kSetupNoSqArray) == 0);
  if (error != 0) return fail(classify_uring_error(error, "mmap of the queues"));
  return ring;
}

int Ring::map(const io_uring_params& params, bool has_index_array) noexcept {
  const std::size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  const std::size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  rings_size_ = std::max(sq_size, cq_size);
  void* rings = ::mmap(nullptr, rings_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                       descriptor_, IORING_OFF_SQ_RING);
  if (rings == MAP_FAILED) return errno;
  rings_ = rings;
  sqes_size_ = params.sq_entries * sizeof(io_uring_sqe);
  void* sqes = ::mmap(nullptr, sqes_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                      descriptor_, IORING_OFF_SQES);
  if (sqes == MAP_FAILED) return errno;
  sqes_ = static_cast<io_uring_sqe*>(sqes);

  sq_head_ = at_offset<unsigned>(rings_, params.sq_off.head);
  sq_tail_ = at_offset<unsigned>(rings_, params.sq_off.tail);
  sq_flags_ = at_offset<unsigned>(rings_, params.sq_off.flags);
  sq_mask_ = params.sq_entries - 1;
  cq_head_ = at_offset<unsigned>(rings_, params.cq_off.head);
  cq_tail_ = at_offset<unsigned>(rings_, params.cq_off.tail);
  cqes_ = at_offset<io_uring_cqe>(rings_, params.cq_off.cqes);
  cq_mask_ = params.cq_entries - 1;
  if (has_index_array) {  // entry n is always in place n
    unsigned* array = at_offset<unsigned>(rings_, params.sq_off.array);
    for (unsigned i = 0; i < params.sq_entries; ++i) array[i] = i;
  }
  return 0;
}

Ring::~Ring() {
  if (sqes_ != nullptr) ::munmap(sqes_, sqes_size_);
  if (rings_ != nullptr) ::munmap(rings_, rings_size_);
  // The thread's table of rings holds a reference too, or the ring would live as long as the
  // thread.
  if (registered_ >= 0) {
    io_uring_rsrc_update entry{};
    entry.offset = static_cast<std::uint32_t>(registered_);
    call_register(IORING_UNREGISTER_RING_FDS, &entry, 1);
  }
  ::close(descriptor_);
}

int Ring::enable() noexcept {
  const int result = call_register(IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  if (result < 0) return -result;
  io_uring_rsrc_update entry{};
  entry.offset = 0xffffffffu;  // any free place
  entry.data = static_cast<__u64>(descriptor_);
  // A thread has 16 places. Without one every call looks the descriptor up, which is all we lose.
  if (call_register(IORING_REGISTER_RING_FDS, &entry, 1) == 1) {
    registered_ = static_cast<int>(entry.offset);
  }
  return 0;
}

io_uring_sqe& Ring::take_entry() noexcept {
  io_uring_sqe& entry = sqes_[sq_tail_local_++ & sq_mask_];
  std::memset(&entry, 0, sizeof entry);
  return entry;
}

io_uring_sqe& Ring::next() {
  if (backlog_.empty() && (has_room() || (submit(), has_room()))) return take_entry();
  return backlog_.emplace_back();
}

std::size_t Ring::pending() const noexcept { return queued() + backlog_.size(); }

void Ring::refill_from_backlog() noexcept {
  if (backlog_.empty()) return;
  std::size_t moved = 0;
  while (moved < backlog_.size() && has_room()) take_entry() = backlog_[moved++];
  backlog_.erase(backlog_.begin(), backlog_.begin() + static_cast<std::ptrdiff_t>(moved));
}

bool Ring::submit() noexcept {
  for (;;) {
    refill_from_backlog();
    const unsigned before = queued();
    if (before == 0) return true;
    publish();
    const int result = call_enter(before, 0, 0, nullptr, 0);
    if (result <= 0 && result != -EINTR) return false;
  }
}

void Ring::enter(Duration timeout) noexcept {
  refill_from_backlog();
  if (!backlog_.empty()) submit();
  publish();
  // What has to stay is tried again by the next call, which must not be kept from it by sleeping.
  const bool waits = timeout > Duration::zero() && backlog_.empty();
  unsigned flags = IORING_ENTER_GETEVENTS;
  if (waits && (features_ & kFeatureNoIowait) != 0) flags |= kEnterNoIowait;
  if (!waits || timeout == Duration::max()) {
    call_enter(queued(), waits ? 1 : 0, flags, nullptr, _NSIG / 8);
    return;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  __kernel_timespec limit{};
  limit.tv_sec = seconds.count();
  limit.tv_nsec = (timeout - seconds).count();
  io_uring_getevents_arg argument{};
  argument.ts = reinterpret_cast<std::uint64_t>(&limit);
  flags |= IORING_ENTER_EXT_ARG;
  call_enter(queued(), 1, flags, &argument, sizeof argument);
}

// Every failure is either no failure (time is up, a signal) or passes when completions are reaped
// or memory is back: entries that were not taken stay in the queue for the next call.
int Ring::call_enter(unsigned to_submit, unsigned min_complete, unsigned flags,
                     const void* argument, std::size_t size) noexcept {
  int descriptor = descriptor_;
  if (registered_ >= 0) {
    descriptor = registered_;
    flags |= IORING_ENTER_REGISTERED_RING;
  }
  const long result =
      ::syscall(__NR_io_uring_enter, descriptor, to_submit, min_complete, flags, argument, size);
  return result >= 0 ? static_cast<int>(result) : -errno;
}

int Ring::call_register(unsigned opcode, const void* argument, unsigned count) noexcept {
  const long result = ::syscall(__NR_io_uring_register, descriptor_, opcode, argument, count);
  return result >= 0 ? static_cast<int>(result) : -errno;
}

void Ring::cancel_now(std::uint64_t tag) noexcept {
  submit();  // what is not there yet cannot be cancelled
  io_uring_sync_cancel_reg request{};
  request.addr = tag;
  request.fd = -1;
  request.timeout = {-1, -1};
  call_register(IORING_REGISTER_SYNC_CANCEL, &request, 1);
}

void Ring::cancel_everything_now() noexcept {
  io_uring_sync_cancel_reg request{};
  request.fd = -1;
  request.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
  request.timeout = {-1, -1};
  call_register(IORING_REGISTER_SYNC_CANCEL, &request, 1);
  // Requests hold their files until their last completion, and those are deferred to us.
  call_enter(0, 0, IORING_ENTER_GETEVENTS, nullptr, _NSIG / 8);
}

}  // namespace sluice
