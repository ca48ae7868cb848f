#include "proto/ws/client.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proto/http/text.h"
#include "proto/ws/unmask.h"

namespace sluice::ws {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

// The only field of that name among the lines of a response head; empty if there is none or
// several.
std::string_view only_field(std::string_view lines, std::string_view name) noexcept {
  std::string_view value;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    const std::size_t colon = line.find(':');
    if (!http::equals_ignoring_case(line.substr(0, colon), name)) continue;
    if (!value.empty() || colon == std::string_view::npos) return {};
    value = http::trim(line.substr(colon + 1));
  }
  return value;
}

}  // namespace

void append_handshake(std::string& out, const ClientHandshake& handshake) {
  out += "GET ";
  out += handshake.target;
  out += " HTTP/1.1\r\n";
  append_field(out, "Host", handshake.host);
  append_field(out, "Upgrade", "websocket");
  append_field(out, "Connection", "Upgrade");
  append_field(out, "Sec-WebSocket-Key", handshake.key);
  append_field(out, "Sec-WebSocket-Version", "13");
  if (!handshake.subprotocols.empty()) {
    append_field(out, "Sec-WebSocket-Protocol", handshake.subprotocols);
  }
  for (const http::Field& field : handshake.fields) append_field(out, field.name, field.value);
  out += "\r\n";
}

Result<std::size_t, std::string_view> check_handshake_response(std::string_view received,
                                                               std::string_view accept) noexcept {
  using Reason = std::string_view;
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (received.size() > 16384) return fail(Reason("the response's head does not end"));
    return std::size_t{0};
  }
  const std::string_view head = received.substr(0, end + 2);
  if (!head.starts_with("HTTP/1.1 101")) return fail(Reason("the status is not 101"));
  const std::string_view lines = head.substr(head.find("\r\n") + 2);
  if (!http::equals_ignoring_case(only_field(lines, "upgrade"), "websocket")) {
    return fail(Reason("Upgrade is not websocket"));
  }
  if (!http::equals_ignoring_case(only_field(lines, "connection"), "upgrade")) {
    return fail(Reason("Connection is not Upgrade"));
  }
  if (only_field(lines, "sec-websocket-accept") != accept) {
    return fail(Reason("Sec-WebSocket-Accept does not fit the key"));
  }
  return end + 4;
}

std::size_t encode_masked_header(std::span<std::byte, kFrameHeaderMax> out, Opcode opcode, bool fin,
                                 std::uint64_t payload_size, std::uint32_t key) noexcept {
  const std::size_t size = encode_header(out, opcode, fin, payload_size);
  out[1] |= std::byte{0x80};
  std::memcpy(out.data() + size, &key, kMaskSize);
  return size + kMaskSize;
}

void append_masked_frame(std::vector<std::byte>& out, const Simd& simd, Opcode opcode, bool fin,
                         ConstBytes payload, std::uint32_t key) {
  std::array<std::byte, kFrameHeaderMax> header{};
  const std::size_t size = encode_masked_header(header, opcode, fin, payload.size(), key);
  out.insert(out.end(), header.data(), header.data() + size);
  const std::size_t at = out.size();
  out.insert(out.end(), payload.begin(), payload.end());
  unmask(simd, Bytes(out).subspan(at), key);
}

}  // namespace sluice::ws
