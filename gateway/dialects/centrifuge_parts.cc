#include "gateway/dialects/centrifuge_parts.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "gateway/channel_kind.h"
#include "gateway/router.h"
#include "proto/centrifuge/channel_name.h"

namespace sluice::centrifuge {

std::int64_t now_seconds(Session& session) noexcept {
  const WallTime now = session.shard().reactor.clock().wall_now();
  return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
}

std::uint32_t time_to_live(Session& session, std::int64_t expires_at) noexcept {
  const std::int64_t left = expires_at - now_seconds(session);
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(left, 0, std::numeric_limits<std::uint32_t>::max()));
}

std::string channel_called(const CentrifugeState& state, std::string_view name) {
  const bool is_own = !state.user.empty() && name.starts_with(kUserBoundary) &&
                      name.substr(1) == std::string_view(state.user);
  if (!is_own) return std::string(name);
  return user_channel(state.user);
}

std::string name_of(std::string_view channel) {
  if (kind_of(channel) != ChannelKind::kUser) return std::string(channel);
  return personal_channel(user_text(channel));
}

const ChannelOptions* options_of(Session& session, std::string_view channel) noexcept {
  return session.shard().router.namespaces().find_channel(channel);
}

void recover(CentrifugeState::Channel& channel, const StreamPosition& had) noexcept {
  const auto epoch = parse_epoch(had.epoch);
  channel.is_recovering = true;
  channel.has_position = epoch.has_value();
  channel.position = {epoch.value_or(0), had.offset};
}

bool to_publications(const std::vector<HistoryAnswer::Item>& items, std::string_view epoch,
                     std::vector<Publication>& out) {
  for (const HistoryAnswer::Item& item : items) {
    const std::string_view data = as_text(item.publication.data());
    if (!is_json_value(data)) return false;
    const PublicationExtras extras = item.publication.extras();
    out.push_back({data, extras.publisher, item.offset, extras.tags,
                   item.offset == 1 ? epoch : std::string_view()});
  }
  return true;
}

}  // namespace sluice::centrifuge
