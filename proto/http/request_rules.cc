#include "proto/http/request_rules.h"

#include <algorithm>

#include "proto/http/text.h"

namespace sluice::http {
namespace {

using E = RequestError;
using Fault = std::optional<RequestError>;

constexpr bool is_alpha(char c) noexcept { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Characters of uri-host [ ":" port ] (RFC 3986 3.2.2); its inner structure is nobody's business
// here, but nothing that could end a host and begin something else gets through.
constexpr bool is_authority(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_alpha(c) || is_digit(c) ||
           std::string_view("-._~!$&'()*+,;=%:[]").find(c) != std::string_view::npos;
  });
}

std::size_t find_scheme_end(std::string_view target) noexcept {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos || colon == 0 || !is_alpha(target[0])) return 0;
  const bool is_scheme = std::all_of(
      target.begin(), target.begin() + static_cast<long>(colon),
      [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
  return is_scheme ? colon + 3 : 0;
}

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  if (text.empty() || text.size() > 18) return std::nullopt;  // 18 digits cannot overflow
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

}  // namespace

// Has access to the request's slices; one per head.
class RequestRules {
 public:
  explicit RequestRules(Request& request) noexcept : request_(request) {}

  Fault apply(std::uint64_t max_body) noexcept {
    request_.host_ = {};
    request_.content_length_ = 0;
    if (const Fault fault = read_fields()) return fault;
    if (const Fault fault = read_target()) return fault;
    if (const Fault fault = check_framing(max_body)) return fault;
    request_.keep_alive_ = !closes_ && (request_.minor_version() > 0 || keeps_);
    return std::nullopt;
  }

 private:
  Fault read_fields() noexcept {
    for (std::size_t i = 0; i < request_.field_count(); ++i) {
      const std::string_view name = request_.field_name(i);
      const std::string_view value = request_.field_value(i);
      if (equals_ignoring_case(name, "host")) {
        if (has_host_) return E::kDuplicateHost;
        if (!is_authority(value)) return E::kBadHost;
        has_host_ = true;
        request_.host_ = request_.fields_[i].value;
      } else if (equals_ignoring_case(name, "content-length")) {
        const auto length = parse_length(value);
        if (has_length_ || !length) return E::kBadContentLength;
        has_length_ = true;
        request_.content_length_ = *length;
      } else if (equals_ignoring_case(name, "transfer-encoding")) {
        has_encoding_ = true;
        read_codings(value);
      } else if (equals_ignoring_case(name, "connection")) {
        read_connection(value);
      }
    }
    if (!has_host_ && request_.minor_version() > 0) return E::kMissingHost;
    return std::nullopt;
  }

  void read_connection(std::string_view list) noexcept {
    std::string_view option;
    while (next_element(list, option)) {
      if (equals_ignoring_case(option, "close")) closes_ = true;
      if (equals_ignoring_case(option, "keep-alive")) keeps_ = true;
    }
  }

  // All fields of that name make one list.
  void read_codings(std::string_view list) noexcept {
    std::string_view coding;
    while (next_element(list, coding)) {
      if (ends_in_chunked_) is_chunked_inside_ = true;
      ends_in_chunked_ = equals_ignoring_case(coding, "chunked");
      if (!ends_in_chunked_) has_other_coding_ = true;
    }
  }

  // RFC 9112 3.2: origin-form, absolute-form, authority-form, asterisk-form.
  Fault read_target() noexcept {
    const std::string_view target = request_.target();
    const Slice whole = request_.target_;
    request_.path_ = {whole.at, 0};
    request_.query_ = {whole.at, 0};
    if (target.find('#') != std::string_view::npos) return E::kBadTarget;
    if (request_.method() == "CONNECT") {
      if (!is_authority(target)) return E::kBadTarget;
      request_.host_ = whole;
      return std::nullopt;
    }
    if (target == "*") {
      if (request_.method() != "OPTIONS") return E::kBadTarget;
      request_.path_ = whole;
      return std::nullopt;
    }
    std::size_t path_at = 0;
    if (target.front() != '/') {
      const std::size_t authority_at = find_scheme_end(target);
      if (authority_at == 0) return E::kBadTarget;
      path_at = std::min(target.find_first_of("/?", authority_at), target.size());
      const std::string_view authority = target.substr(authority_at, path_at - authority_at);
      if (authority.empty() || !is_authority(authority)) return E::kBadTarget;
      request_.host_ = slice(authority_at, path_at);
    }
    const std::size_t query_at = std::min(target.find('?', path_at), target.size());
    // "http://host" means the path "/" (RFC 9112 3.2.1); the slash before the host serves as one.
    const bool has_path = query_at > path_at;
    const std::size_t slash_at = target.find('/');
    request_.path_ = has_path ? slice(path_at, query_at) : slice(slash_at, slash_at + 1);
    if (query_at < target.size()) request_.query_ = slice(query_at + 1, target.size());
    return std::nullopt;
  }

  // Of the target, whose offsets are relative to it.
  Slice slice(std::size_t from, std::size_t to) const noexcept {
    return {static_cast<std::uint16_t>(request_.target_.at + from),
            static_cast<std::uint16_t>(to - from)};
  }

  // RFC 9112 6.1, 6.3: whatever could make two parties disagree about where the body ends is
  // refused. Nothing here reads a body, so it may as well say its length beforehand.
  Fault check_framing(std::uint64_t max_body) const noexcept {
    if (has_encoding_) {
      const bool contradicts = has_length_ || request_.minor_version() == 0;
      if (contradicts) return E::kConflictingFraming;
      if (!ends_in_chunked_ || is_chunked_inside_) return E::kBadTransferEncoding;
      return has_other_coding_ ? E::kTransferEncoding : E::kLengthRequired;
    }
    if (request_.content_length_ > max_body) return E::kBodyTooBig;
    return std::nullopt;
  }

  Request& request_;
  bool has_host_ = false;
  bool has_length_ = false;
  bool has_encoding_ = false;
  bool ends_in_chunked_ = false;
  bool is_chunked_inside_ = false;  // before the last coding, where it is not allowed
  bool has_other_coding_ = false;
  bool closes_ = false;
  bool keeps_ = false;
};

std::optional<RequestError> apply_rules(Request& request, std::uint64_t max_body) noexcept {
  return RequestRules(request).apply(max_body);
}

}  // namespace sluice::http
