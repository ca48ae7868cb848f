#include "proto/ws/frame_error.h"

#include <array>

namespace sluice::ws {
namespace {

// In the order of the enumeration.
constexpr std::array<FrameErrorInfo, kFrameErrorCount> kInfos = {{
    {kCloseNormal, "none", ""},
    {kCloseProtocolError, "reserved_bits", "reserved bits are set"},
    {kCloseProtocolError, "unknown_opcode", "unknown opcode"},
    {kCloseProtocolError, "control_fragmented", "control frame is fragmented"},
    {kCloseProtocolError, "control_too_long", "control frame is longer than 125 bytes"},
    {kCloseProtocolError, "not_masked", "client frame is not masked"},
    {kCloseProtocolError, "masked", "server frame is masked"},
    {kCloseProtocolError, "length_not_minimal", "frame length is not in its shortest form"},
    {kCloseProtocolError, "length_top_bit", "frame length has its top bit set"},
    {kCloseTooBig, "message_too_big", "message is too big"},
    {kClosePolicy, "too_many_fragments", "message has too many fragments"},
    {kCloseProtocolError, "unexpected_continuation", "continuation without a message"},
    {kCloseProtocolError, "expected_continuation", "new message inside a fragmented one"},
    {kCloseInvalidData, "invalid_utf8", "text is not UTF-8"},
    {kCloseInvalidData, "bad_deflate", "message cannot be inflated"},
    {kCloseProtocolError, "close_too_short", "close frame of one byte"},
    {kCloseProtocolError, "close_code_invalid", "invalid close code"},
    {kCloseInvalidData, "close_reason_invalid", "close reason is not UTF-8"},
}};

}  // namespace

const FrameErrorInfo& describe(FrameError error) noexcept {
  return kInfos[static_cast<std::size_t>(error)];
}

}  // namespace sluice::ws
