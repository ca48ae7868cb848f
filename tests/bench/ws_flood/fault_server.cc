#include "tests/bench/ws_flood/fault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "core/base/check.h"

namespace sluice::flood {
namespace {

constexpr char kText = '\x81', kBinary = '\x82', kClose = '\x88', kPong = '\x8a';

std::string frame(char first, const std::string& payload) {
  std::string out(1, first);
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else if (payload.size() < 65536) {
    out += {126, static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size() & 0xff)};
  } else {
    out += '\x7f';
    for (int shift = 56; shift >= 0; shift -= 8) {
      out += static_cast<char>(payload.size() >> shift & 0xff);
    }
  }
  return out + payload;
}

std::string accept_value(const std::string& key) {
  const std::string input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "SHA1", nullptr, input.data(), input.size(), digest.data(), &size);
  std::array<unsigned char, 64> text{};
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
  return reinterpret_cast<const char*>(text.data());
}

// The text between `before` and the next `end`.
std::string between(const std::string& text, std::string_view before, char end) {
  const std::size_t start = text.find(before);
  if (start == std::string::npos) return {};
  const std::size_t from = start + before.size();
  return text.substr(from, text.find(end, from) - from);
}

}  // namespace

FaultServer::FaultServer(Kind kind, Fault fault, unsigned at)
    : kind_(kind), fault_(fault), at_(at), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  SLUICE_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 512) == 0);
  SLUICE_CHECK(getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

FaultServer::~FaultServer() {
  is_stopping_ = true;
  thread_.join();
  for (Peer& peer : peers_) close(peer.fd);
  close(listener_);
}

void FaultServer::serve() {
  std::vector<pollfd> polled;
  while (!is_stopping_) {
    polled.assign(1, {listener_, POLLIN, 0});
    for (const Peer& peer : peers_) polled.push_back({peer.fd, POLLIN, 0});
    poll(polled.data(), polled.size(), 10);
    for (std::size_t i = peers_.size(); i > 0; --i) {
      if (polled[i].revents == 0 || read_from(peers_[i - 1])) continue;
      close(peers_[i - 1].fd);
      peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    if (polled[0].revents != 0) accept_one();
  }
}

void FaultServer::accept_one() {
  Peer peer;
  peer.fd = accept(listener_, nullptr, nullptr);
  const int on = 1;
  setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  peers_.push_back(peer);
}

bool FaultServer::read_from(Peer& peer) {
  std::array<char, 65536> buffer;
  const ssize_t received = recv(peer.fd, buffer.data(), buffer.size(), 0);
  if (received <= 0) return false;
  peer.input.append(buffer.data(), static_cast<std::size_t>(received));
  if (!peer.is_open && !shake_hands(peer)) return false;
  bool is_whole = peer.is_open;
  while (is_whole) {
    if (!take_frame(peer, is_whole)) return false;
  }
  return true;
}

bool FaultServer::shake_hands(Peer& peer) {
  if (peer.input.find("\r\n\r\n") == std::string::npos || fault_ == Fault::kSilence) return true;
  if (fault_ == Fault::kRefuse) {
    send_all(peer, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return false;
  }
  std::string key = between(peer.input, "Sec-WebSocket-Key: ", '\r');
  if (fault_ == Fault::kWrongAccept) key += "x";
  send_all(peer,
           "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: WebSocket\r\n"
           "Sec-WebSocket-Accept: " +
               accept_value(key) + "\r\n\r\n");
  peer.input.erase(0, peer.input.find("\r\n\r\n") + 4);
  peer.is_open = true;
  return true;
}

// False when the connection is over.
bool FaultServer::take_frame(Peer& peer, bool& is_whole) {
  const auto byte = [&peer](std::size_t i) { return static_cast<unsigned char>(peer.input[i]); };
  is_whole = false;
  if (peer.input.size() < 2) return true;
  SLUICE_CHECK((byte(1) & 0x80) != 0);
  std::size_t size = byte(1) & 0x7f;
  const std::size_t extra = size < 126 ? 0 : size == 126 ? 2 : 8;
  if (peer.input.size() < 6 + extra) return true;
  if (extra != 0) size = 0;
  for (std::size_t i = 0; i < extra; ++i) size = size << 8 | byte(2 + i);
  if (peer.input.size() < 6 + extra + size) return true;
  const std::string mask = peer.input.substr(2 + extra, 4);
  SLUICE_CHECK(mask != std::string(4, '\0'));
  std::string payload = peer.input.substr(6 + extra, size);
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  const unsigned opcode = byte(0) & 0xf;
  peer.input.erase(0, 6 + extra + size);
  is_whole = true;
  if (opcode == 0x8) {
    send_all(peer, frame(kClose, payload));
    return false;
  }
  if (opcode == 0x9 && fault_ != Fault::kIgnorePings) send_all(peer, frame(kPong, payload));
  if (opcode <= 0x2) on_message(peer, payload);
  return true;
}

void FaultServer::on_message(Peer& peer, const std::string& text) {
  const auto own = static_cast<std::size_t>(&peer - peers_.data());
  if (kind_ == Kind::kEcho) return deliver(own, text);
  if (kind_ == Kind::kBroadcast) {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (peers_[i].is_open) deliver(i, text);
    }
    return;
  }
  if (text.find("accept_") != std::string::npos) {
    if (fault_ != Fault::kIgnoreNaming) peer.name = between(text, R"("toy_id":")", '"');
    return;
  }
  const std::string to = between(text, R"("to_user":")", '"');
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (!to.empty() && peers_[i].name == to) deliver(i, text);
  }
}

void FaultServer::deliver(std::size_t receiver, const std::string& text) {
  if (++delivered_ == at_) return deliver_faulty(receiver, text);
  Peer& peer = peers_[receiver];
  send_all(peer, frame_of(text) + peer.held);
  peer.held.clear();
}

void FaultServer::deliver_faulty(std::size_t receiver, const std::string& text) {
  Peer& peer = peers_[receiver];
  switch (fault_) {
    case Fault::kDrop:
      return;
    case Fault::kDouble:
      return send_all(peer, frame_of(text) + frame_of(text));
    case Fault::kReorder:
      peer.held = frame_of(text);
      return;
    case Fault::kMisdeliver:
      return send_all(peers_[(receiver + 1) % peers_.size()], frame_of(text));
    case Fault::kCorrupt: {
      std::string altered = text;
      altered[altered.size() - 5] = altered[altered.size() - 5] == 'x' ? 'y' : 'x';
      return send_all(peer, frame_of(altered));
    }
    case Fault::kShorten:
      return send_all(peer, frame_of(text.substr(0, text.size() - 1)));
    case Fault::kWrongOpcode:
      return send_all(peer, frame(kBinary, text));
    case Fault::kReservedBit:
      return send_all(peer, frame('\xc1', text));
    case Fault::kClose:
      return send_all(peer, frame(kClose, "\x03\xf3 out of order"));
    case Fault::kStall:
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      return send_all(peer, frame_of(text));
    default:
      return send_all(peer, frame_of(text));
  }
}

std::string FaultServer::frame_of(const std::string& text) const {
  if (fault_ != Fault::kFragment) return frame(kText, text);
  const std::size_t half = text.size() / 2;
  return frame('\x01', text.substr(0, half)) + frame('\x89', "are you there") +
         frame('\x80', text.substr(half));
}

void FaultServer::send_all(Peer& peer, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = send(peer.fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0) return;  // the client has gone; read_from will notice
    sent += static_cast<std::size_t>(count);
  }
}

}  // namespace sluice::flood
