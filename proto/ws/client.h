// The client's side of RFC 6455: handshake and masked frames, for load tool and simulated clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "proto/http/response.h"
#include "proto/simd.h"
#include "proto/ws/frame.h"

namespace sluice::ws {

struct ClientHandshake {
  std::string_view host;
  std::string_view target = "/";
  std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";  // 24 characters; unique where it matters
  std::string_view subprotocols;                      // a list, or empty
  std::span<const http::Field> fields;                // anything else, such as Origin
};

void append_handshake(std::string& out, const ClientHandshake& handshake);

// Looks at the bytes received so far. 0: the response is incomplete; otherwise the size of a 101
// that accepts (RFC 6455 4.1), after which frames follow. Fails with what is wrong with it.
Result<std::size_t, std::string_view> check_handshake_response(std::string_view received,
                                                               std::string_view accept) noexcept;

// Like encode_header, with the mask bit and `key` (its bytes as in memory): 6, 8 or 14 bytes.
std::size_t encode_masked_header(std::span<std::byte, kFrameHeaderMax> out, Opcode opcode, bool fin,
                                 std::uint64_t payload_size, std::uint32_t key) noexcept;

// Appends a whole masked frame.
void append_masked_frame(std::vector<std::byte>& out, const Simd& simd, Opcode opcode, bool fin,
                         ConstBytes payload, std::uint32_t key);

}  // namespace sluice::ws
