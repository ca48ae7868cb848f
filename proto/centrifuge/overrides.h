// What holds for one subscription in place of what the channel's namespace says.
//
// Said by tokens (proto/token) and by application servers (proto/api). Centrifugo's others,
// `force_positioning` and `force_recovery`, are not read: a subscription of a channel with a
// history has both here, and without a history there is neither.
#pragma once

#include <optional>

namespace sluice::centrifuge {

struct Overrides {
  std::optional<bool> presence;               // others can ask for the client
  std::optional<bool> join_leave;             // others hear of its coming and going
  std::optional<bool> force_push_join_leave;  // it hears of theirs without asking for it
};

}  // namespace sluice::centrifuge
