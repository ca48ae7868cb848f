// What reaches a Session whose dialect says publications in words of its own, and whose client
// counts them.
#include <algorithm>
#include <optional>

#include "core/base/check.h"
#include "gateway/dialect.h"
#include "gateway/give_way.h"
#include "gateway/router.h"
#include "gateway/session.h"

namespace sluice {
namespace {

// Publications that may wait for the answer to a connect, apart from a mailbox.
constexpr std::size_t kEarlyMax = 1024;

// Whether the client counts this one: a hole in front of it is one that it must hear of.
bool is_counted(const CentrifugeState::Channel& followed, Position position) noexcept {
  return followed.is_positioned && position.offset != Position::kNoPlace;
}

}  // namespace

void Session::deliver_translated(ChannelName channel, const Publication& publication,
                                 Position position, const ChannelOptions& options,
                                 bool is_backlog) noexcept {
  CentrifugeState& state = *state_.centrifuge;
  const std::size_t index = index_of(channel.text);
  SLUICE_CHECK(index < state.channels.size());  // the Hub knows us in no other
  CentrifugeState::Channel& followed = state.channels[index];
  if (!is_open() || followed.is_lost) {
    return return_unsent(channel, publication, position, Drop::kSessionEnded);
  }
  if (!state.is_connected) {
    if (!early_) early_ = std::make_unique<std::vector<Early>>();
    if (!is_backlog && early_->size() >= kEarlyMax) {
      return_unsent(channel, publication, position, Drop::kSlowConsumer);
      return end(Cause::kQueuesFull);
    }
    PayloadPool::refer(*publication.payload);
    return early_->push_back({publication, position, channel.hash, is_backlog});
  }
  if (is_counted(followed, position) && (position.epoch != followed.position.epoch ||
                                         position.offset != followed.position.offset + 1)) {
    return_unsent(channel, publication, position, Drop::kSessionEnded);
    return dialect_.on_gap(*this, channel.text, 1);
  }
  enqueue_translated(channel, followed, publication, position, options, is_backlog);
}

// What is counted does not give way: the client would only count it as missing.
void Session::enqueue_translated(ChannelName channel, CentrifugeState::Channel& followed,
                                 const Publication& publication, Position position,
                                 const ChannelOptions& options, bool is_backlog) noexcept {
  Payload* const said = dialect_.translate(publication, position, options);
  if (said == nullptr) {
    return_unsent(channel, publication, position, Drop::kSessionEnded);
    return end(Cause::kInappropriateData);
  }
  withdraw_older(publication);
  const bool does_count = is_counted(followed, position);
  const std::size_t size = said->bytes.size();
  const bool may_drop = options.slow_consumer != SlowConsumer::kDisconnect;
  std::optional<Drop> lack;
  if (!is_backlog && !has_room(size)) {
    lack =
        make_room(size, does_count && may_drop ? SlowConsumer::kDropNewest : options.slow_consumer);
  }
  if (lack) {
    return_unsent(channel, publication, position, *lack);
    if (is_open()) dialect_.on_gap(*this, channel.text, 1);
  } else {
    const std::size_t cost_before = connection_->queue_cost();
    enqueue({said, publication.frame_at, publication.mark}, position,
            does_count || is_backlog ? GiveWay::kNever : give_way(options.slow_consumer));
    if (is_backlog) mailbox_room_ += connection_->queue_cost() - cost_before;
    if (does_count) followed.position = position;
  }
  shard_.reactor.payloads().drop(*said);
}

void Session::lose_channel(std::size_t index) noexcept {
  state_.centrifuge->channels[index].is_lost = true;
  shard_.router.leave_later(self_);
}

void Session::drop_lost_channels() noexcept {
  if (!state_.centrifuge) return;
  for (std::size_t i = state_.subscriptions.size(); i-- > 0;) {
    if (state_.centrifuge->channels[i].is_lost) drop_subscription(i);
  }
}

void Session::settle_channels() noexcept {
  if (has_ended_) {
    leave_channels();
  } else {
    drop_lost_channels();
  }
}

void Session::deliver_early() noexcept {
  if (!early_) return;
  const auto early = std::move(early_);
  for (const Early& one : *early) {
    const ChannelName channel{one.publication.channel(), one.channel_hash};
    if (one.is_backlog) {
      deliver_backlog(channel, one.publication, one.position);
    } else {
      deliver(channel, one.publication, one.position,
              shard_.router.namespaces().of_channel(channel.text));
    }
    shard_.reactor.payloads().drop(*one.publication.payload);
  }
}

void Session::return_early() noexcept {
  if (!early_) return;
  const auto early = std::move(early_);
  for (const Early& one : *early) {
    shard_.router.return_unsent(one.publication, one.channel_hash, one.position.offset,
                                Drop::kSessionEnded);
  }
}

}  // namespace sluice
