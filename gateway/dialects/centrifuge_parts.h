// What the parts of the Centrifuge dialect share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/dialects/centrifuge_state.h"
#include "gateway/epoch_text.h"
#include "gateway/history_answer.h"
#include "gateway/session.h"
#include "proto/centrifuge/command.h"
#include "proto/centrifuge/reply.h"

namespace sluice::centrifuge {

inline CentrifugeState& state_of(Session& session) noexcept { return *session.state().centrifuge; }

// Of the wall clock, since 1970.
std::int64_t now_seconds(Session& session) noexcept;
// How long something lasts that ends at `expires_at`, in seconds; 0 if it has ended, or if that is
// 0: never.
std::uint32_t time_to_live(Session& session, std::int64_t expires_at) noexcept;

// The gateway's name of a channel for what the client calls `name`, and the other way round. They
// differ for a user's own channel, which the client calls #USER.
std::string channel_called(const CentrifugeState& state, std::string_view name);
std::string name_of(std::string_view channel);

// The options of a channel; null if its namespace is unknown.
const ChannelOptions* options_of(Session& session, std::string_view channel) noexcept;

// The client has had a channel up to `had`, and wants what it missed.
void recover(CentrifugeState::Channel& channel, const StreamPosition& had) noexcept;

// Publications in the order of `items`, as views into them. False: one of them is no JSON.
bool to_publications(const std::vector<HistoryAnswer::Item>& items, std::string_view epoch,
                     std::vector<Publication>& out);

}  // namespace sluice::centrifuge
