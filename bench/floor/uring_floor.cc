// The bare io_uring loop: what a WebSocket echo or broadcast costs when nothing else is done.
//
// Multishot accept into registered files, multishot receive from a ring of buffers, and one send
// per connection and turn, all of a turn submitted by the same io_uring_enter that waits for the
// next. Sends carry MSG_DONTWAIT|MSG_WAITALL and ask for no completion on success: after the enter
// they have left, or a completion says how far they came and the rest goes out from a copy.
//
// Short messages are what it is made for. Large ones arrive in pieces of 4 KiB and are put together
// by copying; for those the epoll loop marks the floor.

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/floor/common/frames.h"
#include "bench/floor/common/handshake.h"
#include "bench/floor/common/listener.h"
#include "bench/floor/common/raw_ring.h"
#include "bench/floor/common/uring_client.h"

namespace sluice::bare {
namespace {

constexpr unsigned kEntries = 4096;
constexpr unsigned kCompletions = 32768;
constexpr unsigned kClientsMax = 32768;
constexpr std::size_t kRequestMax = 64u << 10;
constexpr std::size_t kPendingMax = 64u << 20;  // a client that far behind is dropped
constexpr unsigned kNowait = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;

enum class Op : unsigned { kAccept, kReceive, kSend, kRestSend, kIgnored };

// Everything there is; lives on main's stack and its one thread.
class UringFloor {
 public:
  UringFloor(int listener, Mode mode) : listener_(listener), mode_(mode) {}
  int run();

 private:
  int open();
  void on_completion(const io_uring_cqe& cqe);
  void on_accept(const io_uring_cqe& cqe);
  void on_receive(unsigned slot, const io_uring_cqe& cqe);
  void on_send_failed(unsigned slot, int result);
  void on_rest_sent(unsigned slot, int result);
  void take(unsigned slot, Bytes input);
  bool take_request(unsigned slot, Bytes input, std::size_t& consumed);
  bool take_frames(unsigned slot, Bytes input, bool in_buffer, std::size_t& consumed);
  void mark_dirty(unsigned slot);
  void append(unsigned slot, ConstBytes bytes);
  void recycle_buffers();
  void flush();
  void broadcast();
  void send_pending(unsigned slot);
  void submit_send(unsigned slot, ConstBytes bytes);
  void submit_rest(unsigned slot);
  void arm_accept();
  void arm_receive(unsigned slot);
  void begin_close(unsigned slot);
  void close_when_idle(unsigned slot);

  int listener_;
  Mode mode_;
  RawRing ring_;
  ReceiveBuffers buffers_;
  Handshake handshake_;
  std::vector<UringClient> clients_;  // by registered file
  std::vector<unsigned> subscribers_;
  std::vector<unsigned>
      joining_;  // subscribers from the next turn on: their 101 leaves in this one
  std::vector<unsigned> dirty_;
  std::vector<unsigned> closing_;
  std::vector<unsigned> starved_;  // found no buffer
  // Buffers are given back when the sends that refer to them have been submitted and heard of.
  std::vector<unsigned> used_now_;
  std::vector<unsigned> used_before_;
  std::vector<std::byte> shared_;         // this turn's broadcast
  std::vector<std::byte> shared_before_;  // the submitted one
  std::string answer_;
};

void tag(io_uring_sqe& sqe, Op op, unsigned slot) {
  sqe.user_data = static_cast<std::uint64_t>(op) << 32 | slot;
}

int UringFloor::open() {
  if (const int error = ring_.open(kEntries, kCompletions); error != 0) return error;
  if (const int error = buffers_.open(ring_); error != 0) return error;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  io_uring_rsrc_register files{};
  files.nr = static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, kClientsMax));
  files.flags = IORING_RSRC_REGISTER_SPARSE;
  const int value = ring_.reg(IORING_REGISTER_FILES2, &files, sizeof(files));
  if (value < 0) return -value;
  clients_.resize(files.nr);
  return 0;
}

int UringFloor::run() {
  if (const int error = open(); error != 0) {
    std::fprintf(stderr, "io_uring: %s\n", std::strerror(error));
    return 1;
  }
  arm_accept();
  for (;;) {
    // Who waits for a buffer is tried again in the next round, when this one's are back.
    if (const int error = ring_.enter(starved_.empty() ? 1 : 0); error != 0) {
      std::fprintf(stderr, "io_uring_enter: %s\n", std::strerror(error));
      return 1;
    }
    ring_.drain([this](const io_uring_cqe& cqe) { on_completion(cqe); });
    recycle_buffers();
    flush();
  }
}

void UringFloor::on_completion(const io_uring_cqe& cqe) {
  const auto slot = static_cast<unsigned>(cqe.user_data & 0xffffffffu);
  switch (static_cast<Op>(cqe.user_data >> 32)) {
    case Op::kAccept:
      return on_accept(cqe);
    case Op::kReceive:
      return on_receive(slot, cqe);
    case Op::kSend:
      return on_send_failed(slot, cqe.res);
    case Op::kRestSend:
      return on_rest_sent(slot, cqe.res);
    case Op::kIgnored:
      return;
  }
}

void UringFloor::on_accept(const io_uring_cqe& cqe) {
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) arm_accept();
  if (cqe.res < 0) return;
  const auto slot = static_cast<unsigned>(cqe.res);
  clients_[slot] = UringClient{};
  clients_[slot].is_used = true;
  arm_receive(slot);
}

void UringFloor::on_receive(unsigned slot, const io_uring_cqe& cqe) {
  UringClient& client = clients_[slot];
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) client.is_receiving = false;
  if (cqe.res > 0) {
    const unsigned id = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
    used_now_.push_back(id);
    if (!client.is_closing) take(slot, Bytes(buffers_.at(id), static_cast<std::size_t>(cqe.res)));
    if (client.is_receiving) return;
    client.is_closing ? begin_close(slot) : arm_receive(slot);
  } else if (cqe.res == -ENOBUFS && !client.is_closing) {
    starved_.push_back(slot);
  } else if (!client.is_receiving) {
    begin_close(slot);
  }
}

void UringFloor::take(unsigned slot, Bytes input) {
  UringClient& client = clients_[slot];
  const bool in_buffer = client.rest.empty();
  if (!in_buffer) {
    client.rest.insert(client.rest.end(), input.begin(), input.end());
    input = client.rest;
  }
  std::size_t consumed = 0;
  std::size_t total = 0;
  bool is_good = true;
  if (!client.is_open) {
    is_good = take_request(slot, input, consumed);
    total = consumed;
  }
  if (is_good && client.is_open && total < input.size()) {
    is_good = take_frames(slot, input.subspan(total), in_buffer, consumed);
    total += consumed;
  }
  if (!is_good) begin_close(slot);
  if (in_buffer) {
    client.rest.assign(input.begin() + static_cast<std::ptrdiff_t>(total), input.end());
  } else {
    client.rest.erase(client.rest.begin(),
                      client.rest.begin() + static_cast<std::ptrdiff_t>(total));
  }
}

bool UringFloor::take_request(unsigned slot, Bytes input, std::size_t& consumed) {
  bool accepted = false;
  consumed = handshake_.answer(as_text(input), answer_, accepted);
  if (consumed == 0) return input.size() < kRequestMax;
  append(slot, as_bytes(answer_));
  if (!accepted) return false;
  clients_[slot].is_open = true;
  if (mode_ == Mode::kBroadcast) joining_.push_back(slot);
  return true;
}

// False when the connection ends here, be it in good order.
bool UringFloor::take_frames(unsigned slot, Bytes input, bool in_buffer, std::size_t& consumed) {
  UringClient& client = clients_[slot];
  if (mode_ == Mode::kBroadcast) {
    const std::size_t before = client.pending.size();
    const Collected collected = collect(input, shared_, client.pending);
    consumed = collected.consumed;
    if (client.pending.size() != before) mark_dirty(slot);
    return collected.next == Next::kGoOn;
  }
  const Echoed echoed = echo_in_place(input);
  consumed = echoed.consumed;
  if (in_buffer && !client.is_dirty) {
    client.reply = echoed.reply;
    if (!client.reply.empty()) mark_dirty(slot);
  } else if (!echoed.reply.empty()) {
    append(slot, echoed.reply);
  }
  return echoed.next == Next::kGoOn;
}

void UringFloor::mark_dirty(unsigned slot) {
  if (clients_[slot].is_dirty) return;
  clients_[slot].is_dirty = true;
  dirty_.push_back(slot);
}

void UringFloor::append(unsigned slot, ConstBytes bytes) {
  UringClient& client = clients_[slot];
  client.pending.insert(client.pending.end(), client.reply.begin(), client.reply.end());
  client.reply = {};
  client.pending.insert(client.pending.end(), bytes.begin(), bytes.end());
  mark_dirty(slot);
}

void UringFloor::recycle_buffers() {
  for (const unsigned id : used_before_) buffers_.give(id);
  if (!used_before_.empty()) buffers_.publish();
  used_before_.clear();
  used_before_.swap(used_now_);
  std::vector<unsigned> waiting;
  waiting.swap(starved_);
  for (const unsigned slot : waiting) {
    if (clients_[slot].is_used && !clients_[slot].is_closing) arm_receive(slot);
  }
}

void UringFloor::flush() {
  if (!shared_.empty()) broadcast();
  for (const unsigned slot : dirty_) send_pending(slot);
  dirty_.clear();
  for (const unsigned slot : joining_) {
    if (clients_[slot].is_closing) continue;
    clients_[slot].subscriber_index = subscribers_.size();
    clients_[slot].is_subscriber = true;
    subscribers_.push_back(slot);
  }
  joining_.clear();
  std::vector<unsigned> closing;
  closing.swap(closing_);
  for (const unsigned slot : closing) close_when_idle(slot);
}

// One send per client and turn: a client with output of its own gets both in one piece.
void UringFloor::broadcast() {
  shared_before_.swap(shared_);
  shared_.clear();
  for (const unsigned slot : subscribers_) {
    UringClient& client = clients_[slot];
    if (client.is_closing) continue;
    if (client.is_dirty || client.is_sending_rest) {
      append(slot, shared_before_);
    } else {
      submit_send(slot, shared_before_);
    }
  }
}

void UringFloor::send_pending(unsigned slot) {
  UringClient& client = clients_[slot];
  if (!client.is_dirty) return;
  client.is_dirty = false;
  if (client.is_sending_rest) {
    client.pending.insert(client.pending.end(), client.reply.begin(), client.reply.end());
    client.reply = {};
    if (client.pending.size() > kPendingMax) begin_close(slot);
  } else if (!client.pending.empty()) {
    client.sending.swap(client.pending);
    client.pending.clear();
    submit_send(slot, client.sending);
  } else if (!client.reply.empty()) {
    submit_send(slot, client.reply);
    client.reply = {};
  }
}

void UringFloor::submit_send(unsigned slot, ConstBytes bytes) {
  clients_[slot].submitted = bytes;
  io_uring_sqe& sqe = ring_.next_entry();
  io_uring_prep_send(&sqe, static_cast<int>(slot), bytes.data(), bytes.size(),
                     static_cast<int>(kNowait));
  sqe.flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  tag(sqe, Op::kSend, slot);
}

// The completion of a send that could not finish at once: the rest goes out from a copy, because
// what it came from is about to be used again.
void UringFloor::on_send_failed(unsigned slot, int result) {
  UringClient& client = clients_[slot];
  if (!client.is_used || client.submitted.empty()) return;
  if (result < 0 && result != -EAGAIN) return begin_close(slot);
  const ConstBytes left = client.submitted.subspan(static_cast<std::size_t>(std::max(result, 0)));
  client.sending = std::vector<std::byte>(left.begin(), left.end());
  submit_rest(slot);
}

void UringFloor::submit_rest(unsigned slot) {
  UringClient& client = clients_[slot];
  client.is_sending_rest = true;
  client.submitted = client.sending;
  io_uring_sqe& sqe = ring_.next_entry();
  io_uring_prep_send(&sqe, static_cast<int>(slot), client.sending.data(), client.sending.size(),
                     MSG_WAITALL | MSG_NOSIGNAL);
  sqe.flags = IOSQE_FIXED_FILE;
  tag(sqe, Op::kRestSend, slot);
}

void UringFloor::on_rest_sent(unsigned slot, int result) {
  UringClient& client = clients_[slot];
  client.is_sending_rest = false;
  if (result < 0 || static_cast<std::size_t>(result) < client.sending.size()) {
    return begin_close(slot);  // under MSG_WAITALL a short count means the connection is gone
  }
  if (!client.pending.empty()) mark_dirty(slot);
  if (client.is_closing) begin_close(slot);
}

void UringFloor::arm_accept() {
  io_uring_sqe& sqe = ring_.next_entry();
  io_uring_prep_multishot_accept_direct(&sqe, listener_, nullptr, nullptr, 0);
  tag(sqe, Op::kAccept, 0);
}

void UringFloor::arm_receive(unsigned slot) {
  clients_[slot].is_receiving = true;
  io_uring_sqe& sqe = ring_.next_entry();
  io_uring_prep_recv_multishot(&sqe, static_cast<int>(slot), nullptr, 0, 0);
  sqe.flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  sqe.buf_group = 0;
  tag(sqe, Op::kReceive, slot);
}

void UringFloor::begin_close(unsigned slot) {
  clients_[slot].is_closing = true;
  closing_.push_back(slot);
}

// A registered file is freed only when no operation refers to it: a late completion would otherwise
// be taken for the next client's.
void UringFloor::close_when_idle(unsigned slot) {
  UringClient& client = clients_[slot];
  if (!client.is_used) return;
  if (client.is_receiving || client.is_sending_rest) {
    if (client.is_cancelled) return;
    client.is_cancelled = true;
    io_uring_sqe& sqe = ring_.next_entry();
    io_uring_prep_cancel_fd(&sqe, static_cast<int>(slot),
                            IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL);
    tag(sqe, Op::kIgnored, slot);
    return;
  }
  if (client.is_subscriber) {
    const unsigned last = subscribers_.back();
    clients_[last].subscriber_index = client.subscriber_index;
    subscribers_[client.subscriber_index] = last;
    subscribers_.pop_back();
  }
  client.is_used = false;
  client.is_subscriber = false;
  client.submitted = {};  // `sending` stays: this turn's last send may still refer to it
  io_uring_sqe& sqe = ring_.next_entry();
  io_uring_prep_close_direct(&sqe, slot);
  sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
  tag(sqe, Op::kIgnored, slot);
}

int run_uring(int listener, Mode mode) { return UringFloor(listener, mode).run(); }

}  // namespace
}  // namespace sluice::bare

int main(int argc, char** argv) {
  return sluice::bare::run_program(argc, argv, &sluice::bare::run_uring);
}
