// What the server API says when it cannot do what was asked.
//
// The codes and their texts are those of Centrifugo's API, since its client libraries compare them.
// A bad request names the member and what is wrong with it behind the standard text.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::api {

enum class ErrorCode : std::uint16_t {
  kInternal = 100,
  kUnknownChannel = 102,
  kNotFound = 104,
  kBadRequest = 107,
  kNotAvailable = 108,
  kUnrecoverablePosition = 112,
  kConflict = 113,
};

[[nodiscard]] constexpr std::string_view message(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUnknownChannel:
      return "unknown channel";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kBadRequest:
      return "bad request";
    case ErrorCode::kNotAvailable:
      return "not available";
    case ErrorCode::kUnrecoverablePosition:
      return "unrecoverable position";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kInternal:
      break;
  }
  return "internal server error";
}

// The HTTP status of an error in the transport error mode; in the other mode it is always 200.
[[nodiscard]] constexpr unsigned http_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUnknownChannel:
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kBadRequest:
    case ErrorCode::kNotAvailable:
      return 400;
    case ErrorCode::kUnrecoverablePosition:
      return 416;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kInternal:
      break;
  }
  return 500;
}

// A refused request. Member and detail are literals, so they outlive everything; when there is a
// detail the message reads "bad request: MEMBER DETAIL".
struct Refusal {
  ErrorCode code = ErrorCode::kBadRequest;
  std::string_view member;
  std::string_view detail;
  // The body is no JSON object. Answered by status 400 with the text "Bad Request", in either error
  // mode, except in a batch, where `code` stands in the command's place.
  bool is_malformed = false;
};

}  // namespace sluice::api
