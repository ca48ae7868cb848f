// What arrives at a worker's connections, and what it means.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bench/ws_flood/handshake.h"
#include "bench/ws_flood/worker.h"

namespace sluice::flood {
namespace {

// Beyond what we send: error texts, user lists and greetings of a server are read and then judged.
constexpr std::uint64_t kPayloadSlack = 1u << 20;

std::string describe_close(ConstBytes payload) {
  if (payload.size() < 2) return "closed by the server without a code";
  const unsigned code =
      std::to_integer<unsigned>(payload[0]) << 8 | std::to_integer<unsigned>(payload[1]);
  return "closed by the server: " + std::to_string(code) + " " +
         std::string(as_text(payload.subspan(2)));
}

}  // namespace

// A read that leaves room in the buffer has emptied the socket: what comes later is a new edge.
// Only when the end of the stream is known to be there must it be read to the end.
void Worker::read_from(Connection& connection, bool until_end) {
  for (;;) {
    const std::size_t kept = connection.rest.size();
    if (buffer_.size() < kept + kReceiveRoom) buffer_.resize(2 * (kept + kReceiveRoom));
    std::copy(connection.rest.begin(), connection.rest.end(), buffer_.begin());
    const std::size_t room = buffer_.size() - kept;
    const ssize_t received = recv(connection.fd, buffer_.data() + kept, room, 0);
    if (received < 0 && errno == EAGAIN) return;
    if (received < 0) return end_badly(connection, std::string("recv: ") + std::strerror(errno));
    if (received == 0) return end_badly(connection, "the server ended the connection");
    now_ = now_ns();
    const auto size = static_cast<std::size_t>(received);
    const ConstBytes input(buffer_.data(), kept + size);
    const std::size_t taken = take(connection, input);
    if (connection.fd < 0) return;
    connection.rest.assign(input.begin() + static_cast<std::ptrdiff_t>(taken), input.end());
    if (size < room && !until_end) return;
  }
}

// Takes whole frames (or the handshake's answer) from the front; returns how many bytes.
std::size_t Worker::take(Connection& connection, ConstBytes input) {
  std::size_t taken = 0;
  if (connection.state == State::kShaking) {
    taken = take_answer(connection, input);
    if (taken == 0) return 0;
  }
  ServerFrame frame;
  while (connection.fd >= 0) {
    const std::uint64_t payload_max = options_.size + kPayloadSlack;
    const Look look = look_at_frame(input.subspan(taken), payload_max, frame);
    if (look == Look::kPartial) break;
    if (look == Look::kBad) {
      tally_.wrong.add();
      end_badly(connection, "the server broke the framing protocol");
      break;
    }
    taken += frame.size;
    on_frame(connection, frame);
  }
  return taken;
}

std::size_t Worker::take_answer(Connection& connection, ConstBytes input) {
  const Answer answer = check_answer(as_text(input), connection.key);
  if (answer.size == 0) return 0;
  if (!answer.error.empty()) {
    end_badly(connection, answer.error);
    return answer.size;
  }
  connection.state = State::kOpen;
  connection.key = {};
  --handshakes_;
  tally_.opened.add();
  return answer.size;
}

void Worker::on_frame(Connection& connection, const ServerFrame& frame) {
  switch (frame.opcode) {
    case Opcode::kText:
    case Opcode::kBinary:
      if (frame.is_final && !connection.in_fragments) {
        return on_message(connection, frame.opcode, as_text(frame.payload));
      }
      [[fallthrough]];
    case Opcode::kContinuation:
      return on_fragment(connection, frame);
    case Opcode::kPing:
      return send_control(connection, Opcode::kPong, as_text(frame.payload));
    case Opcode::kPong:
      if (std::exchange(connection.awaits_pong, false)) tally_.pongs.add();
      return;
    case Opcode::kClose:
      return end_badly(connection, describe_close(frame.payload));
  }
}

void Worker::on_fragment(Connection& connection, const ServerFrame& frame) {
  const bool is_first = frame.opcode != Opcode::kContinuation;
  const std::size_t size = connection.fragments.size() + frame.payload.size();
  if (is_first == connection.in_fragments || size > options_.size + kPayloadSlack) {
    tally_.wrong.add();
    return end_badly(connection, "the server broke the rules of fragments");
  }
  if (is_first) connection.fragments_opcode = frame.opcode;
  connection.in_fragments = !frame.is_final;
  connection.fragments.insert(connection.fragments.end(), frame.payload.begin(),
                              frame.payload.end());
  if (!frame.is_final) return;
  on_message(connection, connection.fragments_opcode, as_text(connection.fragments));
  connection.fragments.clear();
}

void Worker::on_message(Connection& connection, Opcode opcode, std::string_view message) {
  if (connection.awaits_naming) return on_own_message(connection, message);
  Stamp stamp;
  const bool is_right_kind = (opcode == Opcode::kBinary) == options_.is_binary;
  if (!is_right_kind || !run_.messages.read(message, stamp)) {
    tally_.wrong.add();
    run_.note_failure("connection " + std::to_string(connection.id) +
                      " got what nobody sent: " + std::string(message.substr(0, 200)));
    return;
  }
  if (!is_expected(connection.id, stamp.sender)) return tally_.misdelivered.add();
  switch (tracker_.note(flow_of(local_of(connection.id), stamp.sender), stamp.sequence)) {
    case Arrival::kAgain:
      return tally_.duplicated.add();
    case Arrival::kLate:
      tally_.reordered.add();
      break;
    case Arrival::kInOrder:
      break;
  }
  on_arrived(connection, stamp);
}

// Relay, before the run: the message that a connection sent to its own id.
void Worker::on_own_message(Connection& connection, std::string_view message) {
  if (message != run_.messages.to_itself(connection.id)) {
    tally_.wrong.add();
    return run_.note_failure("connection " + std::to_string(connection.id) +
                             " named itself and got: " + std::string(message.substr(0, 200)));
  }
  connection.awaits_naming = false;
  tally_.named.add();
}

bool Worker::is_expected(std::uint32_t receiver, std::uint32_t sender) const noexcept {
  switch (options_.scenario) {
    case Scenario::kEcho:
      return sender == receiver;
    case Scenario::kRelay:
      return sender == (receiver ^ 1u);
    case Scenario::kChat:
      return sender < options_.publishers;
    case Scenario::kIdle:
      break;
  }
  return false;
}

std::size_t Worker::flow_of(std::size_t local, std::uint32_t sender) const noexcept {
  return options_.scenario == Scenario::kChat ? local * options_.publishers + sender : local;
}

void Worker::on_arrived(Connection& connection, const Stamp& stamp) {
  tally_.arrived.add();
  const std::uint64_t from = run_.measure_from_ns.load(std::memory_order_relaxed);
  const std::uint64_t to = run_.measure_to_ns.load(std::memory_order_relaxed);
  if (stamp.sent_ns >= from && stamp.sent_ns < to) {
    latencies_.record(now_ > stamp.sent_ns ? now_ - stamp.sent_ns : 0);
  }
  if (options_.rate > 0) return;
  switch (options_.scenario) {
    case Scenario::kEcho:
      return grant(connection, 1);
    case Scenario::kRelay:
      return grant(connections_[local_of(stamp.sender)], 1);
    case Scenario::kChat:
      return on_chat_arrived(stamp);
    case Scenario::kIdle:
      return;
  }
}

void Worker::on_chat_arrived(const Stamp& stamp) {
  const std::size_t place = run_.board.place(stamp.sender, stamp.sequence);
  if (++chat_counts_[place] != connections_.size()) return;
  chat_counts_[place] = 0;
  if (!run_.board.worker_has_it(place)) return;
  const unsigned home = run_.worker_of(stamp.sender);
  if (home == index_) return grant(connections_[local_of(stamp.sender)], 1);
  run_.board.post_credit(stamp.sender);
  run_.wake(home);
}

}  // namespace sluice::flood
