#include "gateway/cause.h"

namespace sluice {
namespace {

constexpr std::string_view kClient = "client";
constexpr std::string_view kServer = "server";

// As clients of the Centrifuge protocol know it: stay away.
constexpr ws::CloseCode kCloseForced{3503};

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
    {ws::kCloseAbnormal, kServer, "ping_timeout", ""},
    {ws::kCloseAbnormal, kServer, "write_timeout", ""},
    {ws::kClosePolicy, kServer, "slow_consumer", "does not read fast enough"},
    {ws::kCloseTryAgainLater, kServer, "queues_full", "server is overloaded, try again later"},
    {ws::kCloseTryAgainLater, kServer, "unavailable", "not available now, try again later"},
    {kCloseForced, kServer, "forced", "force disconnect"},
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
  if (code >= 1000 && code <= 1003) return code - 1000u;
  if (code >= 1005 && code <= 1014) return code - 1005u + 4;
  if (code == kCloseForced) return kCloseCodeLabels.size() - 2;
  return kCloseCodeLabels.size() - 1;
}

}  // namespace sluice
