// One HTTP/1.x request head, as views into the buffer it was parsed from.
//
// Fields are kept as offsets: while a head arrives its buffer may move, and a fixed array of small
// offsets needs no memory of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/http/text.h"

namespace sluice::http {

inline constexpr std::size_t kHeadMax = 16384;        // request line and fields
inline constexpr std::size_t kRequestLineMax = 8192;  // RFC 9112 3 asks for at least 8000
inline constexpr std::size_t kFieldsMax = 100;
static_assert(kHeadMax <= 0xffff, "offsets have 16 bits");

// A piece of the head.
struct Slice {
  std::uint16_t at = 0;
  std::uint16_t size = 0;
};

// Filled by a RequestParser, which owns it. Views are valid while the head's buffer is; none of the
// values is decoded.
class Request {
 public:
  std::string_view method() const noexcept { return view(method_); }
  // The request target as sent, and its parts: "/a/b" and "x=1" of "/a/b?x=1", also of
  // absolute-form (RFC 9112 3.2.2). The path is "*" for asterisk-form and empty for CONNECT's
  // authority-form.
  std::string_view target() const noexcept { return view(target_); }
  std::string_view path() const noexcept { return view(path_); }
  std::string_view query() const noexcept { return view(query_); }
  // The authority the client means: of the target if it has one, of Host otherwise; may be empty.
  std::string_view host() const noexcept { return view(host_); }
  // 0 or 1: HTTP/1.0 or HTTP/1.1 (and above).
  int minor_version() const noexcept { return minor_version_; }
  // The client wants to send another request on this connection (RFC 9112 9.3).
  bool keep_alive() const noexcept { return keep_alive_; }
  // Bytes of body that follow the head; within the parser's limit.
  std::uint64_t content_length() const noexcept { return content_length_; }

  std::size_t field_count() const noexcept { return field_count_; }
  std::string_view field_name(std::size_t i) const noexcept { return view(fields_[i].name); }
  // Without the blanks around it. May contain bytes from 0x80, no control character but tab.
  std::string_view field_value(std::size_t i) const noexcept { return view(fields_[i].value); }

  // The first field of that name, in any case.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  std::size_t count(std::string_view name) const noexcept;
  // Whether `element` is in the comma-separated list that all fields of that name make together;
  // both in any case (RFC 9110 5.3).
  bool has_element(std::string_view name, std::string_view element) const noexcept;

 private:
  friend class RequestParser;
  friend class RequestRules;

  struct FieldSlices {
    Slice name;
    Slice value;
  };

  std::string_view view(Slice slice) const noexcept { return {base_ + slice.at, slice.size}; }

  const char* base_ = nullptr;
  Slice method_;
  Slice target_;
  Slice path_;
  Slice query_;
  Slice host_;
  std::uint64_t content_length_ = 0;
  std::uint16_t field_count_ = 0;
  std::uint8_t minor_version_ = 1;
  bool keep_alive_ = false;
  std::array<FieldSlices, kFieldsMax> fields_;  // the first field_count_ are set
};

}  // namespace sluice::http
