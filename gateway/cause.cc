#include "gateway/cause.h"

#include <algorithm>
#include <charconv>

#include "proto/centrifuge/codes.h"

namespace sluice {
namespace {

constexpr std::string_view kClient = "client";
constexpr std::string_view kServer = "server";

namespace disconnects = centrifuge::disconnects;

// Causes that only that protocol has are said in its words.
constexpr CauseInfo of(const centrifuge::Disconnect& disconnect, std::string_view label) noexcept {
  return {disconnect.code, kServer, label, disconnect.reason};
}

// In the order of the enum.
constexpr std::array<CauseInfo, kCauseCount> kCauses = {{
    {ws::kCloseNormal, kServer, "none", ""},
    {ws::kCloseNormal, kClient, "closed", ""},
    {ws::kCloseAbnormal, kClient, "left", ""},
    {ws::kCloseAbnormal, kClient, "connection_lost", ""},
    {ws::kCloseProtocolError, kServer, "protocol_error", "protocol error"},
    {ws::kCloseInvalidData, kServer, "invalid_utf8", "text is not valid UTF-8"},
    {ws::kCloseInvalidData, kServer, "bad_deflate", "message cannot be inflated"},
    {ws::kCloseTooBig, kServer, "message_too_big", "message is too big"},
    {ws::kClosePolicy, kServer, "too_many_fragments", "message has too many fragments"},
    {ws::kClosePolicy, kServer, "fragment_timeout", "message took too long to arrive"},
    {ws::kClosePolicy, kServer, "too_many_errors", "too many messages in error"},
    {ws::kClosePolicy, kServer, "too_many_pings", "too many pings"},
    of(disconnects::kBadRequest, "bad_request"),
    of(disconnects::kNotAvailable, "not_available"),
    of(disconnects::kStale, "stale"),
    of(disconnects::kInvalidToken, "invalid_token"),
    of(disconnects::kConnectionExpired, "connection_expired"),
    of(disconnects::kChannelLimit, "too_many_channels"),
    of(disconnects::kInsufficientState, "insufficient_state"),
    of(disconnects::kInappropriateProtocol, "inappropriate_data"),
    {ws::kCloseAbnormal, kServer, "ping_timeout", ""},
    {ws::kCloseAbnormal, kServer, "write_timeout", ""},
    {ws::kClosePolicy, kServer, "slow_consumer", "does not read fast enough"},
    {ws::kCloseTryAgainLater, kServer, "queues_full", "server is overloaded, try again later"},
    {ws::kCloseTryAgainLater, kServer, "unavailable", "not available now, try again later"},
    of(disconnects::kForceDisconnect, "forced"),
    {ws::kCloseGoingAway, kServer, "shutdown", "server is going away"},
}};

}  // namespace

const CauseInfo& describe(Cause cause) noexcept { return kCauses[static_cast<std::size_t>(cause)]; }

Cause cause_of(ws::FrameError error) noexcept {
  switch (error) {
    case ws::FrameError::kMessageTooBig:
      return Cause::kMessageTooBig;
    case ws::FrameError::kTooManyFragments:
      return Cause::kTooManyFragments;
    case ws::FrameError::kInvalidUtf8:
    case ws::FrameError::kCloseReasonInvalid:
      return Cause::kInvalidUtf8;
    case ws::FrameError::kBadDeflate:
      return Cause::kBadDeflate;
    default:
      return Cause::kProtocolError;
  }
}

std::size_t close_code_index(ws::CloseCode code) noexcept {
  std::array<char, 8> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), code).ptr;
  const auto* const found = std::find(kCloseCodeLabels.begin(), kCloseCodeLabels.end() - 1,
                                      std::string_view(text.data(), end));
  return static_cast<std::size_t>(found - kCloseCodeLabels.begin());
}

}  // namespace sluice
