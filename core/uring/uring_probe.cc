#include "core/uring/uring_probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

#include "core/uring/buffer_ring.h"
#include "core/uring/ring.h"

namespace sluice {
namespace {

constexpr std::array<std::uint8_t, 7> kNeededOps = {
    IORING_OP_ACCEPT,  IORING_OP_CONNECT,      IORING_OP_RECV,    IORING_OP_SEND,
    IORING_OP_SENDMSG, IORING_OP_ASYNC_CANCEL, IORING_OP_POLL_ADD};
// Far longer than any step takes; only a broken kernel makes us wait for it.
constexpr Duration kPatience = std::chrono::seconds(1);

UringError failed(const char* step, int number = 0) {
  return {UringFailure::kSelfTestFailed, number, step};
}

UringError fail_too_old() { return {UringFailure::kTooOld, 0, "operations"}; }

class Pair {
 public:
  Pair() noexcept {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_) != 0) {
      ends_[0] = ends_[1] = -1;
    }
  }
  ~Pair() {
    for (const int end : ends_) {
      if (end >= 0) ::close(end);
    }
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  bool is_open() const noexcept { return ends_[0] >= 0; }
  int ours() const noexcept { return ends_[0]; }
  int theirs() const noexcept { return ends_[1]; }

 private:
  int ends_[2];
};

std::optional<UringError> check_operations(Ring& ring) {
  // A head, then an entry per operation.
  std::vector<io_uring_probe_op> answer(sizeof(io_uring_probe) / sizeof(io_uring_probe_op) + 256);
  const int result = ring.call_register(IORING_REGISTER_PROBE, answer.data(), 256);
  if (result < 0) return classify_uring_error(-result, "asking for operations");
  const auto* probe = reinterpret_cast<const io_uring_probe*>(answer.data());
  for (const std::uint8_t op : kNeededOps) {
    if (op > probe->last_op || (probe->ops[op].flags & IO_URING_OP_SUPPORTED) == 0) {
      return fail_too_old();
    }
  }
  return {};
}

io_uring_sqe& prepare(Ring& ring, std::uint8_t opcode, int descriptor, std::uint64_t tag) {
  io_uring_sqe& entry = ring.next();
  entry.opcode = opcode;
  entry.fd = descriptor;
  entry.user_data = tag;
  return entry;
}

std::optional<UringError> check_receive(Ring& ring, BufferRing& buffers, const Pair& pair) {
  io_uring_sqe& entry = prepare(ring, IORING_OP_RECV, pair.ours(), 1);
  entry.flags = IOSQE_BUFFER_SELECT;
  entry.ioprio = IORING_RECV_MULTISHOT;
  entry.buf_group = BufferRing::kGroup;
  ring.submit();
  if (::write(pair.theirs(), "x", 1) != 1) return failed("writing to a socket pair", errno);
  ring.enter(kPatience);
  if (ring.ready() != 1) return failed("receiving");
  const io_uring_cqe received = ring.pop();
  if (received.res < 0) return classify_uring_error(-received.res, "receiving");
  const std::uint32_t wanted = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
  if (received.res != 1 || (received.flags & wanted) != wanted) return failed("receiving on");
  const auto id = static_cast<std::uint16_t>(received.flags >> IORING_CQE_BUFFER_SHIFT);
  const bool same = buffers.take(id, 1)[0] == std::byte{'x'};
  buffers.give(id);
  buffers.publish();
  if (!same) return failed("receiving into a shared buffer");
  return {};
}

void prepare_try(Ring& ring, const Pair& pair, const std::vector<char>& bytes, std::size_t size) {
  io_uring_sqe& entry = prepare(ring, IORING_OP_SEND, pair.ours(), 2);
  entry.addr = reinterpret_cast<std::uint64_t>(bytes.data());
  entry.len = static_cast<std::uint32_t>(size);
  entry.msg_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
  entry.flags = IOSQE_CQE_SKIP_SUCCESS;
}

// The two halves of what a kTry send rests on: silence means all, and less is told in the same
// call.
std::optional<UringError> check_send(Ring& ring, const Pair& pair) {
  const std::vector<char> bytes(1 << 20, 'y');
  prepare_try(ring, pair, bytes, 1);
  ring.enter(Duration::zero());
  char byte = 0;
  if (ring.ready() != 0) return failed("sending silently");
  if (::read(pair.theirs(), &byte, 1) != 1 || byte != 'y') return failed("sending");

  const int small = 4096;
  ::setsockopt(pair.ours(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  prepare_try(ring, pair, bytes, bytes.size());
  ring.enter(Duration::zero());
  if (ring.ready() != 1) return failed("telling of a short send");
  const std::int32_t sent = ring.pop().res;
  if (sent <= 0 || static_cast<std::size_t>(sent) >= bytes.size()) return failed("a short send");
  return {};
}

std::optional<UringError> check_cancel(Ring& ring) {
  prepare(ring, IORING_OP_ASYNC_CANCEL, -1, 3).addr = 1;
  ring.enter(kPatience);
  bool receive_ended = false;
  for (unsigned left = ring.ready(); left > 0; --left) {
    const io_uring_cqe ended = ring.pop();
    if (ended.user_data == 1) {
      receive_ended = ended.res == -ECANCELED && (ended.flags & IORING_CQE_F_MORE) == 0;
    } else if (ended.res < 0) {
      return failed("cancelling", -ended.res);
    }
  }
  if (!receive_ended) return failed("cancelling a receive");
  return {};
}

}  // namespace

std::optional<UringError> probe_uring() {
  std::unique_ptr<BufferRing> buffers;  // before the ring: the ring must end first
  auto ring = Ring::create(kSqEntriesMin);
  if (!ring) return ring.error();
  if (auto error = check_operations(**ring)) return error;
  auto made = BufferRing::create(**ring);
  if (!made) return made.error();
  buffers = std::move(*made);
  if (const int error = (*ring)->enable()) return classify_uring_error(error, "enabling a ring");
  const Pair pair;
  if (!pair.is_open()) return classify_uring_error(errno, "socketpair");
  if (auto error = check_receive(**ring, *buffers, pair)) return error;
  if (auto error = check_send(**ring, pair)) return error;
  return check_cancel(**ring);
}

}  // namespace sluice
