// Who asks a channel's home something.
#pragma once

#include <cstdint>

#include "core/handle.h"

namespace sluice {

// Wants an answer with the same request. With ShardMessage::kForSession it comes to
// Session::on_answer, else to RouterHost::on_shard_message.
struct Question {
  Handle who = {};
  std::uint32_t request = 0;
  std::uint8_t flags = 0;
};

}  // namespace sluice
