#include "bench/floor/common/handshake.h"

#include <strings.h>

#include <array>

namespace sluice::bare {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr std::size_t kKeySize = 24;                                        // 16 bytes in Base64

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The value of a header field, empty when there is none.
std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t line = at + 2;
    at = head.find("\r\n", line);
    const std::string_view text = head.substr(line, at - line);
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) continue;
    if (same_name(text.substr(0, colon), name)) return trimmed(text.substr(colon + 1));
  }
  return {};
}

}  // namespace

Handshake::Handshake()
    : sha1_(EVP_MD_fetch(nullptr, "SHA1", nullptr), &EVP_MD_free),
      context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {}

std::string Handshake::accept_value(std::string_view key) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_DigestInit_ex(context_.get(), sha1_.get(), nullptr);
  EVP_DigestUpdate(context_.get(), key.data(), key.size());
  EVP_DigestUpdate(context_.get(), kGuid.data(), kGuid.size());
  EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
  std::array<unsigned char, 32> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

std::size_t Handshake::answer(std::string_view input, std::string& answer, bool& accepted) const {
  const std::size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const std::string_view head = input.substr(0, end + 2);
  const std::string_view key = field(head, "Sec-WebSocket-Key");
  accepted = head.starts_with("GET ") && same_name(field(head, "Upgrade"), "websocket") &&
             field(head, "Sec-WebSocket-Version") == "13" && key.size() == kKeySize;
  if (accepted) {
    answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        accept_value(key) + "\r\n\r\n";
  } else {
    answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  }
  return end + 4;
}

}  // namespace sluice::bare
