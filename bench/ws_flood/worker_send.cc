// What a worker's connections send, and when.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bench/ws_flood/worker.h"

namespace sluice::flood {
namespace {

constexpr std::size_t kBatchBytes = 256u << 10;  // frames built before one send
constexpr std::uint64_t kDueMax = 4096;          // due messages sent before reading again,
constexpr std::size_t kDueBytesMax = 8u << 20;   // and their bytes

}  // namespace

void Worker::begin_sending() {
  if (options_.rate > 0) {
    if (senders_.empty()) return;
    const std::size_t all =
        options_.scenario == Scenario::kChat ? options_.publishers : options_.connections;
    const double share = static_cast<double>(senders_.size()) / static_cast<double>(all);
    const double phase = static_cast<double>(index_) / static_cast<double>(run_.workers);
    pacer_ = Pacer(options_.rate * share, run_.start_ns.load(std::memory_order_relaxed), phase);
    return;
  }
  for (const std::size_t local : senders_) grant(connections_[local], options_.in_flight);
  flush();
}

void Worker::grant(Connection& connection, unsigned credits) {
  connection.credits += credits;
  if (connection.is_dirty) return;
  connection.is_dirty = true;
  dirty_.push_back(local_of(connection.id));
}

void Worker::flush() {
  for (const std::size_t local : dirty_) {
    connections_[local].is_dirty = false;
    send_granted(connections_[local]);
  }
  dirty_.clear();
}

void Worker::send_granted(Connection& connection) {
  while (connection.credits > 0 && connection.unsent.empty()) {
    if (phase_ != Phase::kRun || connection.fd < 0) return;
    out_size_ = 0;
    while (connection.credits > 0 && out_size_ < kBatchBytes) {
      --connection.credits;
      append_message(connection, now_);
    }
    transmit(connection, ConstBytes(out_.data(), out_size_));
  }
}

// Open loop: the schedule is kept to its end, even when the end finds us late.
bool Worker::has_more_to_send() const noexcept {
  if (options_.rate <= 0 || senders_.empty()) return false;
  if (phase_ != Phase::kRun && phase_ != Phase::kDrain) return false;
  return pacer_.intended_ns(pacer_.next()) < run_.measure_to_ns.load(std::memory_order_relaxed);
}

// Open loop: everything that is due, each sender's share in one send.
void Worker::send_due() {
  if (unsent_bytes_ > kUnsentBytesMax) return;
  const std::uint64_t due_max = std::clamp<std::uint64_t>(kDueBytesMax / options_.size, 1, kDueMax);
  const std::uint64_t end = run_.measure_to_ns.load(std::memory_order_relaxed);
  const std::uint64_t due = pacer_.due(std::min(now_ns(), end - 1), due_max);
  const std::uint64_t first = pacer_.next();
  const std::uint64_t count = senders_.size();
  for (std::uint64_t i = 0; i < std::min(due, count); ++i) {
    Connection& connection = connections_[senders_[(first + i) % count]];
    if (connection.fd < 0) continue;
    out_size_ = 0;
    for (std::uint64_t k = first + i; k < first + due; k += count) {
      append_message(connection, pacer_.intended_ns(k));
    }
    transmit(connection, ConstBytes(out_.data(), out_size_));
  }
  pacer_.take(due);
}

// Appends the connection's next message to out_, as a masked frame.
void Worker::append_message(Connection& connection, std::uint64_t sent_ns) {
  const std::size_t size = run_.messages.size();
  const std::size_t needed = out_size_ + kClientHeaderMax + size;
  if (out_.size() < needed) out_.resize(2 * needed);
  std::byte* frame = out_.data() + out_size_;
  const std::uint32_t mask = next_mask();
  const Opcode opcode = options_.is_binary ? Opcode::kBinary : Opcode::kText;
  const std::size_t header = write_client_header(frame, opcode, size, mask);
  const Stamp stamp{connection.id, connection.next_sequence++, sent_ns};
  run_.messages.write(reinterpret_cast<char*>(frame + header), stamp);
  apply_mask(Bytes(frame + header, size), mask);
  out_size_ += header + size;
  tally_.sent.add();
}

void Worker::send_text(Connection& connection, std::string_view text) {
  send_control(connection, Opcode::kText, text);
}

// A single frame outside the measured traffic.
void Worker::send_control(Connection& connection, Opcode opcode, std::string_view payload) {
  if (connection.fd < 0) return;
  std::vector<std::byte> frame(kClientHeaderMax + payload.size());
  const std::uint32_t mask = next_mask();
  const std::size_t header = write_client_header(frame.data(), opcode, payload.size(), mask);
  std::memcpy(frame.data() + header, payload.data(), payload.size());
  apply_mask(Bytes(frame.data() + header, payload.size()), mask);
  transmit(connection, ConstBytes(frame.data(), header + payload.size()));
}

void Worker::transmit(Connection& connection, ConstBytes bytes) {
  if (connection.unsent.empty()) {
    const ssize_t sent = send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      return end_badly(connection, std::string("send: ") + std::strerror(errno));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  }
  connection.unsent.insert(connection.unsent.end(), bytes.begin(), bytes.end());
  unsent_bytes_ += bytes.size();
}

void Worker::send_unsent(Connection& connection) {
  const ssize_t sent =
      send(connection.fd, connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) end_badly(connection, std::string("send: ") + std::strerror(errno));
    return;
  }
  connection.unsent.erase(connection.unsent.begin(), connection.unsent.begin() + sent);
  unsent_bytes_ -= static_cast<std::size_t>(sent);
  if (connection.unsent.empty()) grant(connection, 0);
}

std::uint32_t Worker::next_mask() noexcept {
  const auto mask = static_cast<std::uint32_t>(random_.next());
  return mask != 0 ? mask : 1;
}

}  // namespace sluice::flood
