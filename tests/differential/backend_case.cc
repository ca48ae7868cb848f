#include "tests/differential/backend_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/random.h"

namespace sluice::differential {
namespace {

constexpr std::array<std::string_view, 12> kRequests = {
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HEAD /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /nowhere?x=%00 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
    "POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    "GET /healthz HTTP/1.0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "\r\n\r\nGET /pages/common.js HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"};
constexpr std::array<std::string_view, 4> kSharedRequests = {
    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /toy HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /chat/history HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /chat/history?after=1:2 HTTP/1.1\r\nHost: localhost\r\n\r\n"};
constexpr std::array<std::string_view, 8> kChatTexts = {
    R"({"msg_type":"message","nickname":"n","message":"<b>","cur_time":"1"})",
    R"({"msg_type":"message","message":"\ud83d\ude00 \u0000","the_robot":"robot"})",
    R"({"msg_type":"update_clients","nickname":"\ud83d\ude00"})",
    R"({"msg_type":"update_clients"})",
    R"({"msg_type":"unheard of"})",
    R"({"msg_type":"message","msg_type":"message"})",
    R"([1,2})",
    R"([])"};
constexpr unsigned kText = 0x81;
constexpr unsigned kBinary = 0x82;
constexpr unsigned kClose = 0x88;
constexpr unsigned kPing = 0x89;

// Draws the bytes of clients.
class Drawer {
 public:
  Drawer(std::uint64_t seed, std::uint64_t number)
      : random_(Random(seed).next() ^ number), number_(number) {}

  BackendCase draw(bool is_shared) {
    drawn_.number = number_;
    if (is_shared) {
      if (random_.chance(3, 4)) {
        draw_talk("/chat");
      } else {
        send(requests(kSharedRequests));
      }
    } else {
      draw_alone();
    }
    for (std::size_t client = 0; client < drawn_.clients; ++client) {
      drawn_.steps.push_back({client, {}, true, Await::kEnd});
    }
    return std::move(drawn_);
  }

 private:
  void draw_alone() {
    switch (random_.below(7)) {
      case 0:
      case 1: {
        const std::string bytes = requests(kRequests);
        send(random_.chance(1, 3) ? changed(bytes) : bytes);
        break;
      }
      case 2:
        draw_noise();
        break;
      case 3:
        draw_talk("/sendone");
        break;
      default:
        draw_echo();
    }
  }

  std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_.next());
    return bytes;
  }

  std::string frame(unsigned first, std::string_view payload, bool masked = true) {
    std::string out(1, static_cast<char>(first));
    const unsigned bit = masked ? 0x80 : 0;
    if (payload.size() < 126) {
      out += static_cast<char>(bit | payload.size());
    } else {
      out += static_cast<char>(bit | 126);
      out += static_cast<char>(payload.size() >> 8);
      out += static_cast<char>(payload.size());
    }
    if (!masked) return out.append(payload);
    const std::string key = noise(4);
    out += key;
    for (std::size_t i = 0; i < payload.size(); ++i) {
      out += static_cast<char>(payload[i] ^ key[i % 4]);
    }
    return out;
  }

  std::string text(std::size_t size) {
    static constexpr std::string_view kParts[] = {"a", "some words ", "\xe4\xbd\xa0", "{\"a\":1}",
                                                  "\xf0\x9f\x98\x80"};
    std::string out;
    while (out.size() < size) out += kParts[random_.below(std::size(kParts))];
    return out;
  }

  std::size_t size() {
    static constexpr std::size_t kSizes[] = {0, 1, 5, 125, 126, 300, 2000, 2001, 5000};
    return random_.chance(1, 2) ? random_.below(200) : kSizes[random_.below(std::size(kSizes))];
  }

  // Something that no client may send; every reader refuses it, wherever it is cut.
  std::string broken_frame() {
    switch (random_.below(9)) {
      case 0:
        return frame(0xf1, "x");
      case 1:
        return frame(0x83, "x");
      case 2:
        return frame(kText, "x", false);
      case 3:
        return frame(0x09, "ping in pieces");
      case 4:
        return frame(kPing, std::string(126, 'p'));
      case 5:
        return frame(0x80, "goes on with nothing");
      case 6:
        return frame(kText, text(random_.below(60)) + "\xed\xa0\x80");
      case 7:
        return frame(kClose, random_.chance(1, 2) ? "\x03" : std::string_view("\x03\xec", 2));
      default:
        return frame(kText, text(70'000).substr(0, 65'535));
    }
  }

  // Short: of more pongs than a queue has room for some are left out, and which depends on time.
  std::string ping() { return frame(kPing, text(random_.below(8))); }

  std::string close() {
    static constexpr std::string_view kPayloads[] = {"", "\x03\xe8", "\x03\xe9gone",
                                                     "\x0f\xa0what"};
    return frame(kClose, kPayloads[random_.below(std::size(kPayloads))]);
  }

  // A whole message, perhaps in frames with a ping between them.
  std::string message() {
    const bool is_text = random_.chance(2, 3);
    std::string payload = is_text ? text(size()) : noise(size());
    if (random_.chance(2, 3)) return frame(is_text ? kText : kBinary, payload);
    const std::size_t cut = random_.below(payload.size() + 1);
    std::string out = frame(is_text ? 0x01 : 0x02, payload.substr(0, cut));
    if (random_.chance(1, 3)) out += ping();
    return out + frame(0x80, payload.substr(cut));
  }

  std::string handshake(std::string_view path) {
    std::string out = fmt::format(
        "GET {} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
        path);
    if (random_.chance(1, 3)) out += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    return out + "\r\n";
  }

  std::string changed(std::string bytes) {
    for (std::uint64_t n = 1 + random_.below(3); n > 0 && !bytes.empty(); --n) {
      const std::size_t at = random_.below(bytes.size());
      switch (random_.below(4)) {
        case 0:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_.below(8)));
          break;
        case 1:
          bytes.erase(at, 1 + random_.below(3));
          break;
        case 2:
          bytes.insert(at, noise(1 + random_.below(3)));
          break;
        default:
          bytes.resize(at);
      }
    }
    return bytes;
  }

  // Cut at up to three places, or now and then at every byte.
  std::vector<std::string> cut(const std::string& bytes) {
    std::vector<std::string> pieces;
    if (bytes.size() < 300 && random_.chance(1, 40)) {
      for (const char byte : bytes) pieces.emplace_back(1, byte);
      return pieces;
    }
    std::vector<std::size_t> cuts = {0, bytes.size()};
    for (std::uint64_t n = random_.below(4); n > 0; --n) {
      cuts.push_back(random_.below(bytes.size() + 1));
    }
    std::sort(cuts.begin(), cuts.end());
    for (std::size_t i = 1; i < cuts.size(); ++i) {
      if (cuts[i] != cuts[i - 1]) {
        pieces.push_back(bytes.substr(cuts[i - 1], cuts[i] - cuts[i - 1]));
      }
    }
    return pieces;
  }

  void send(const std::string& bytes) {
    drawn_.steps.push_back({0, cut(bytes), false, Await::kNothing});
  }

  std::string requests(std::span<const std::string_view> choices) {
    std::string bytes;
    for (std::uint64_t n = 1 + random_.below(4); n > 0; --n) {
      bytes += choices[random_.below(choices.size())];
    }
    return bytes;
  }

  void draw_noise() {
    std::string bytes = noise(random_.below(400));
    if (random_.chance(1, 2)) bytes = handshake("/") + bytes;
    send(bytes);
  }

  void draw_echo() {
    const std::string opening = handshake(random_.chance(9, 10) ? "/" : "/nowhere");
    std::string bytes;
    for (std::uint64_t n = random_.below(7); n > 0; --n) {
      bytes += random_.chance(1, 6) ? ping() : message();
    }
    if (random_.chance(1, 3)) bytes += random_.chance(1, 2) ? broken_frame() : close();
    if (random_.chance(1, 10)) bytes += message();
    switch (random_.below(5)) {
      case 0:
        send(opening + changed(bytes));
        break;
      case 1:
        send(changed(opening) + bytes);
        break;
      default:
        send(opening + bytes);
    }
  }

  std::string relay_text(std::size_t client) {
    const auto user = [&](std::size_t of) { return fmt::format("{}-{}", number_, of); };
    switch (random_.below(9)) {
      case 0:
      case 1:
      case 2:
        return fmt::format(R"({{"msg_type":"accept_","toy_id":"{}"}})", user(client));
      case 3:
        return fmt::format(R"({{"msg_type":"send_","to_user":"{}","from_user":"{}","n":1}})",
                           user(random_.below(4)), user(client));
      case 4:
      case 5:
        return fmt::format(R"({{"msg_type":"send_","to_user":"{}","t":"{}"}})",
                           user(random_.below(4)), text(random_.below(900)));
      case 6:
        return R"({"msg_type":"send_","to_user":1.5})";
      case 7:
        return R"({"msg_type":"accept_"})";
      default:
        return R"({"msg_type":)";
    }
  }

  // One to three clients of a dialect. After every step all of them settle.
  void draw_talk(std::string_view path) {
    const bool is_chat = path == "/chat";
    drawn_.clients = 1 + random_.below(3);
    std::vector<bool> is_open(drawn_.clients);
    for (std::uint64_t n = 2 + random_.below(10); n > 0; --n) {
      const std::size_t client = random_.below(drawn_.clients);
      if (!is_open[client]) {
        if (std::exchange(opened_[client], true)) continue;  // it has ended
        is_open[client] = true;
        drawn_.steps.push_back({client, cut(handshake(path)), false, Await::kSettled});
        continue;
      }
      if (random_.chance(1, 8)) {
        is_open[client] = false;
        const std::string last = random_.chance(1, 2) ? broken_frame() : close();
        drawn_.steps.push_back({client, cut(last), false, Await::kEnd});
        continue;
      }
      std::string bytes;
      if (random_.chance(1, 8)) {
        bytes = random_.chance(1, 2) ? message() : ping();
      } else {
        bytes = frame(kText, is_chat ? std::string(kChatTexts[random_.below(kChatTexts.size())])
                                     : relay_text(client));
      }
      drawn_.steps.push_back({client, cut(bytes), false, Await::kSettled});
    }
  }

  Random random_;
  const std::uint64_t number_;
  BackendCase drawn_;
  std::array<bool, 3> opened_{};
};

}  // namespace

BackendCase draw_backend_case(std::uint64_t seed, std::uint64_t number, bool is_shared) {
  return Drawer(seed, number).draw(is_shared);
}

}  // namespace sluice::differential
