#include "bench/ws_flood/handshake.h"

#include <openssl/evp.h>
#include <strings.h>

#include <array>
#include <cstring>

namespace sluice::flood {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr std::size_t kAnswerMax = 16u << 10;

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::array<unsigned char, 64> text{};
  const int length = EVP_EncodeBlock(text.data(), bytes, static_cast<int>(size));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

std::string accept_value(std::string_view key) {
  const std::string input = std::string(key).append(kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "SHA1", nullptr, input.data(), input.size(), digest.data(), &size);
  return base64(digest.data(), size);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// `head` is a status line and fields, each ended by CRLF.
std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t line = at + 2;
    at = head.find("\r\n", line);
    if (at == std::string_view::npos) break;
    const std::string_view text = head.substr(line, at - line);
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || !same_word(text.substr(0, colon), name)) continue;
    return trimmed(text.substr(colon + 1));
  }
  return {};
}

std::string find_fault(std::string_view head, std::string_view key) {
  if (!head.starts_with("HTTP/1.1 101")) {
    return "the server answered: " + std::string(head.substr(0, head.find("\r\n")));
  }
  if (!same_word(field(head, "Upgrade"), "websocket")) return "101 without Upgrade: websocket";
  if (!same_word(field(head, "Connection"), "Upgrade")) return "101 without Connection: Upgrade";
  if (field(head, "Sec-WebSocket-Accept") != accept_value(key)) return "wrong Sec-WebSocket-Accept";
  if (!field(head, "Sec-WebSocket-Extensions").empty()) return "an extension nobody offered";
  return {};
}

}  // namespace

std::string make_key(std::uint64_t high, std::uint64_t low) {
  std::array<unsigned char, 16> bytes{};
  std::memcpy(bytes.data(), &high, sizeof(high));
  std::memcpy(bytes.data() + sizeof(high), &low, sizeof(low));
  return base64(bytes.data(), bytes.size());
}

std::string make_request(const Url& url, std::string_view key) {
  return "GET " + url.path + " HTTP/1.1\r\nHost: " + url.authority +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "User-Agent: ws_flood\r\nSec-WebSocket-Key: " +
         std::string(key) + "\r\n\r\n";
}

Answer check_answer(std::string_view input, std::string_view key) {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (input.size() < kAnswerMax) return {};
    return {input.size(), "16 KiB of answer without an end"};
  }
  return {end + 4, find_fault(input.substr(0, end + 2), key)};
}

}  // namespace sluice::flood
