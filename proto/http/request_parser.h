// Incremental parser of HTTP/1.1 request heads (RFC 9112), strict about framing.
//
// A gateway stands behind proxies, so whatever two parsers may read differently is refused: bare CR
// or LF, NUL, folding, blanks before a colon, doubled Host or Content-Length, any
// Transfer-Encoding. It remembers where it was and never looks at a byte twice for the same
// purpose, so a head that comes byte by byte costs as much as one that comes whole.
//
// Invariants
//   1. The answer does not depend on how the head was split.
//   2. Nothing past the limits is looked at.
//   3. No allocation, no I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "proto/http/request.h"
#include "proto/http/request_error.h"
#include "proto/simd.h"

namespace sluice::http {

struct RequestLimits {
  std::size_t max_head = kHeadMax;  // <= kHeadMax
  std::uint64_t max_body = 65536;
};

enum class Progress : std::uint8_t { kNeedMore, kComplete };

// Parses one head. Lives with the connection's HTTP stage, on its thread; not saved (a head is
// parsed again from its bytes). Does not read bodies: the caller takes request().content_length()
// bytes.
class RequestParser {
 public:
  explicit RequestParser(const Simd& simd, RequestLimits limits = {}) noexcept
      : simd_(simd), limits_(limits) {}

  // `received`: everything since the request's first byte. Earlier bytes must be unchanged, but may
  // have moved. REQUIRES: the previous call returned kNeedMore.
  Result<Progress, RequestError> parse(ConstBytes received) noexcept;

  // REQUIRES: parse() returned kComplete; valid while `received` of that call is.
  const Request& request() const noexcept { return request_; }
  // Bytes of the head; what follows is the body or the next request.
  std::size_t head_size() const noexcept { return at_; }
  // Nothing but empty lines has come: a connection that ends here ends between requests.
  bool is_idle() const noexcept { return state_ <= State::kStartLf; }
  // The method has come and is HEAD: whatever answers this request, errors too, has no body
  // (RFC 9110 9.3.2). Known before the head is complete, and valid when its buffer is gone.
  bool is_head() const noexcept { return is_head_; }

  // For the next request of the connection.
  void reset() noexcept;

 private:
  enum class State : std::uint8_t {
    kStart,  // empty lines before the request line (RFC 9112 2.2)
    kStartLf,
    kMethod,
    kTarget,
    kVersion,
    kRequestLineLf,
    kFieldStart,
    kName,
    kBlank,  // blanks between colon and value
    kValue,
    kValueLf,
    kEndLf,  // the LF of the empty line that ends the head
    kComplete,
  };
  // True: go on with the state that is set now; false: the input ends inside this state.
  using Step = Result<bool, RequestError>;

  Step step(std::string_view text) noexcept;
  Step read_start(std::string_view text) noexcept;
  Step read_lf(std::string_view text, State next) noexcept;
  Step read_method(std::string_view text) noexcept;
  Step read_target(std::string_view text) noexcept;
  Step read_version(std::string_view text) noexcept;
  Step read_field_start(std::string_view text) noexcept;
  Step read_name(std::string_view text) noexcept;
  Step read_blank(std::string_view text) noexcept;
  Step read_value(std::string_view text) noexcept;

  // The end of what may be looked at: of the request line while in it, of the head otherwise.
  std::size_t limit() const noexcept;
  Slice token() const noexcept;
  void begin(State state) noexcept;

  Simd simd_;
  RequestLimits limits_;
  State state_ = State::kStart;
  std::size_t at_ = 0;        // everything before was understood
  std::size_t token_at_ = 0;  // where what is being read began
  std::size_t line_at_ = 0;   // where the request line began
  bool is_head_ = false;
  Request request_;
};

}  // namespace sluice::http
