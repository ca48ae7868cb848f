// Everything a client can do wrong in a request head, with the status that answers it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http {

// Also the closed list of a metric's label.
enum class RequestError : std::uint8_t {
  kBadRequestLine,
  kBadTarget,
  kBadVersion,
  kUnsupportedVersion,
  kBadFieldName,
  kBadFieldValue,
  kFoldedField,
  kBadLineEnd,
  kMissingHost,
  kDuplicateHost,
  kBadHost,
  kBadContentLength,
  kConflictingFraming,
  kBadTransferEncoding,
  kLengthRequired,
  kTransferEncoding,
  kBodyTooBig,
  kRequestLineTooLong,
  kHeadTooBig,
  kTooManyFields,
};
inline constexpr std::size_t kRequestErrorCount = 20;

struct RequestErrorInfo {
  int status;
  std::string_view label;  // for metrics: snake_case
  std::string_view text;   // for the response's body
};

const RequestErrorInfo& describe(RequestError error) noexcept;

}  // namespace sluice::http
