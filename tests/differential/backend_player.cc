#include "tests/differential/backend_player.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::differential {
namespace {

constexpr std::string_view kQuestion = "?settle ";  // what no case sends by itself
constexpr unsigned kRounds = 2;  // the second pong is from a turn after what the first one saw

std::string pong_of(std::size_t question) {
  const std::string payload = fmt::format("{}{:08}", kQuestion, question);
  return fmt::format("\x8a{}{}", static_cast<char>(payload.size()), payload);
}

std::string ping_of(std::size_t question) {
  const std::string payload = fmt::format("{}{:08}", kQuestion, question);
  std::string out = fmt::format("\x89{}", static_cast<char>(0x80 | payload.size()));
  out.append(4, '\0');  // a key that changes nothing
  return out + payload;
}

// Without the moment of each response.
std::string without_dates(std::string head) {
  constexpr std::string_view kDate = "\r\nDate: ";
  for (std::size_t at = head.find(kDate); at != std::string::npos; at = head.find(kDate, at + 1)) {
    const std::size_t begin = at + kDate.size();
    head.erase(begin, head.find("\r\n", begin) - begin);
  }
  return head;
}

// The size of the frame at the front, or of everything if it is not whole.
std::size_t frame_size(std::string_view bytes) {
  const auto byte = [&](std::size_t i) -> std::size_t {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
  };
  std::size_t size = byte(1) & 0x7f;
  std::size_t head = 2;
  if (size >= 126) {
    const std::size_t digits = size == 126 ? 2 : 8;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8 | byte(2 + i);
    head += digits;
  }
  return std::min(head + size, bytes.size());
}

std::string told(std::string_view received) {
  const std::size_t upgraded = received.find("HTTP/1.1 101");
  const std::size_t end =
      upgraded == std::string_view::npos ? upgraded : received.find("\r\n\r\n", upgraded);
  if (end == std::string_view::npos) return without_dates(std::string(received));
  std::string out = without_dates(std::string(received.substr(0, end + 4)));
  std::string pongs;
  for (std::string_view rest = received.substr(end + 4); !rest.empty();) {
    const std::string_view frame = rest.substr(0, frame_size(rest));
    rest.remove_prefix(frame.size());
    if (frame.front() != '\x8a') {
      out.append(frame);
    } else if (frame.find(kQuestion) != 2) {
      pongs.append(frame);
    }
  }
  return out + "\npongs: " + pongs;
}

}  // namespace

Player::Player(const BackendCase& played, const Connect& connect)
    : played_(played), is_talking_(played.clients) {
  for (std::size_t i = 0; i < played.clients; ++i) peers_.push_back(connect());
}

bool Player::advance() {
  for (; step_ < played_.steps.size(); ++step_) {
    const Step& step = played_.steps[step_];
    if (!sent_) send(step);
    if (!has_come(step)) return false;
    sent_ = false;
  }
  return true;
}

void Player::send(const Step& step) {
  Peer& peer = *peers_[step.client];
  for (const std::string& piece : step.pieces) peer.send(piece);
  if (step.finishes) peer.finish();
  is_talking_[step.client] = true;
  sent_ = true;
  asked_ = 0;
  round_ = 0;
}

bool Player::has_come(const Step& step) {
  if (step.await == Await::kNothing) return true;
  if (step.await == Await::kEnd && !peers_[step.client]->has_ended()) return false;
  return step.finishes || has_settled();
}

// The step's client first would not be enough: what it did may be on its way to the others.
bool Player::has_settled() {
  for (; asked_ < peers_.size(); ++asked_, round_ = 0) {
    Peer& peer = *peers_[asked_];
    for (; round_ < kRounds; ++round_) {
      if (!is_talking_[asked_] || peer.has_ended()) break;
      if (!std::exchange(is_asking_, true)) peer.send(ping_of(++questions_));
      if (peer.received().find(pong_of(questions_)) == std::string::npos) return false;
      is_asking_ = false;
    }
    is_asking_ = false;
  }
  return true;
}

std::string Player::transcript() const {
  std::string out;
  for (const auto& peer : peers_) {
    out += told(peer->received());
    out += peer->is_reset() ? "\nreset\n" : peer->has_ended() ? "\nend\n" : "\nNEVER ENDED\n";
  }
  return out;
}

}  // namespace sluice::differential
