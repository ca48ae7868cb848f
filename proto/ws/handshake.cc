#include "proto/ws/handshake.h"

#include <openssl/evp.h>

#include <algorithm>

#include "core/base/check.h"
#include "proto/http/text.h"

namespace sluice::ws {
namespace {

using E = HandshakeError;
using http::Field;

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

constexpr Field kAllow[] = {{"Allow", "GET"}};
// RFC 9110 15.5.22 demands Upgrade, RFC 6455 4.2.2 the version; Connection protects Upgrade.
constexpr Field kUpgradeRequired[] = {
    {"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Version", "13"}};

// In the order of the enumeration.
constexpr std::array<HandshakeErrorInfo, kHandshakeErrorCount> kInfos = {{
    {405, "method", "a WebSocket handshake is a GET request", kAllow},
    {400, "http_version", "a WebSocket handshake needs HTTP/1.1", {}},
    {426, "upgrade", "Upgrade must name websocket", kUpgradeRequired},
    {400, "connection", "Connection must name upgrade", {}},
    {426, "version", "Sec-WebSocket-Version must be 13", kUpgradeRequired},
    {400, "duplicate_version", "Sec-WebSocket-Version is there more than once", {}},
    {400, "missing_key", "Sec-WebSocket-Key is missing", {}},
    {400, "duplicate_key", "Sec-WebSocket-Key is there more than once", {}},
    {400, "bad_key", "Sec-WebSocket-Key must be 16 bytes in Base64", {}},
    {400, "bad_subprotocols", "malformed, repeated or too many Sec-WebSocket-Protocol", {}},
    {400, "body", "a WebSocket handshake has no body", {}},
}};

constexpr bool is_base64(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// 16 bytes are 22 characters and two of padding. The last character may have stray low bits: the
// RFC's own example has, and decoders drop them.
bool is_key(std::string_view key) noexcept {
  return key.size() == kKeySize && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, is_base64);
}

// RFC 6455 4.1 10: tokens, each once. False if they are not.
bool read_subprotocols(const http::Request& request, Handshake& handshake) noexcept {
  for (std::size_t i = 0; i < request.field_count(); ++i) {
    if (!http::equals_ignoring_case(request.field_name(i), "sec-websocket-protocol")) continue;
    std::string_view list = request.field_value(i);
    std::string_view name;
    const std::size_t before = handshake.subprotocol_count;
    while (http::next_element(list, name)) {
      if (!http::is_token(name) || handshake.offers(name)) return false;
      if (handshake.subprotocol_count == kSubprotocolsMax) return false;
      handshake.subprotocols[handshake.subprotocol_count++] = name;
    }
    if (handshake.subprotocol_count == before) return false;  // a list of nothing
  }
  return true;
}

}  // namespace

const HandshakeErrorInfo& describe(HandshakeError error) noexcept {
  return kInfos[static_cast<std::size_t>(error)];
}

bool Handshake::offers(std::string_view subprotocol) const noexcept {
  const auto end = subprotocols.begin() + static_cast<std::ptrdiff_t>(subprotocol_count);
  return std::find(subprotocols.begin(), end, subprotocol) != end;
}

bool is_upgrade(const http::Request& request) noexcept {
  if (request.count("sec-websocket-key") + request.count("sec-websocket-version") > 0) return true;
  // Upgrade of an HTTP/1.0 request must be ignored (RFC 9110 7.8).
  return request.minor_version() > 0 && request.has_element("upgrade", "websocket");
}

Result<Handshake, HandshakeError> check_upgrade(const http::Request& request) noexcept {
  if (request.method() != "GET") return fail(E::kMethod);
  if (request.minor_version() < 1) return fail(E::kHttpVersion);
  if (!request.has_element("upgrade", "websocket")) return fail(E::kUpgrade);
  if (!request.has_element("connection", "upgrade")) return fail(E::kConnection);
  const std::size_t versions = request.count("sec-websocket-version");
  if (versions > 1) return fail(E::kDuplicateVersion);
  if (request.find("sec-websocket-version") != "13") return fail(E::kVersion);
  const auto key = request.find("sec-websocket-key");
  if (!key) return fail(E::kMissingKey);
  if (request.count("sec-websocket-key") > 1) return fail(E::kDuplicateKey);
  if (!is_key(*key)) return fail(E::kBadKey);
  Handshake handshake;
  handshake.key = *key;
  if (!read_subprotocols(request, handshake)) return fail(E::kBadSubprotocols);
  // Bytes after the head are frames; a body would be read as such.
  if (request.content_length() != 0) return fail(E::kBody);
  return handshake;
}

void AcceptKey::Deleter::operator()(evp_md_st* digest) const noexcept { EVP_MD_free(digest); }
void AcceptKey::Deleter::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Result<AcceptKey, std::string_view> AcceptKey::create() noexcept {
  AcceptKey accept;
  accept.digest_.reset(EVP_MD_fetch(nullptr, "SHA1", nullptr));
  accept.context_.reset(EVP_MD_CTX_new());
  if (!accept.digest_ || !accept.context_) {
    return sluice::fail(std::string_view("OpenSSL offers no SHA-1, which WebSocket needs"));
  }
  return accept;
}

AcceptKey::Value AcceptKey::of(std::string_view key) noexcept {
  SLUICE_CHECK(key.size() == kKeySize);
  std::array<unsigned char, 20> digest{};
  unsigned size = 0;
  const bool done = EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), key.data(), key.size()) == 1 &&
                    EVP_DigestUpdate(context_.get(), kGuid.data(), kGuid.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1;
  SLUICE_CHECK(done && size == digest.size());
  std::array<unsigned char, kAcceptSize + 1> text{};  // EVP_EncodeBlock ends it with a NUL
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  Value value{};
  std::copy_n(text.begin(), kAcceptSize, value.begin());
  return value;
}

void append_switching_protocols(std::string& out, const AcceptKey::Value& accept,
                                std::string_view subprotocol, std::string_view extensions) {
  out +=
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  out.append(accept.data(), accept.size());
  if (!subprotocol.empty()) {
    out += "\r\nSec-WebSocket-Protocol: ";
    out += subprotocol;
  }
  if (!extensions.empty()) {
    out += "\r\nSec-WebSocket-Extensions: ";
    out += extensions;
  }
  out += "\r\n\r\n";
}

}  // namespace sluice::ws
