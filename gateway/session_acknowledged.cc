// What reaches a Session whose client acknowledges each message.
//
// Nothing gives way in its queue: the mailbox has all of it, so a client without room is better
// served by coming again than by a hole that is filled later.
#include <optional>

#include "gateway/dialect.h"
#include "gateway/router.h"
#include "gateway/session.h"

namespace sluice {

void Session::deliver_numbered(ChannelName channel, const Publication& publication,
                               Position position, bool is_backlog) noexcept {
  if (!is_open()) return return_unsent(channel, publication, position, Drop::kSessionEnded);
  Payload& said = *dialect_.translate(publication, position, ChannelOptions{});
  const std::size_t size = said.bytes.size();
  std::optional<Drop> lack;
  if (!is_backlog && !has_room(size)) lack = make_room(size, SlowConsumer::kDisconnect);
  if (lack) {
    return_unsent(channel, publication, position, *lack);
  } else {
    const std::size_t cost_before = connection_->queue_cost();
    enqueue({&said, publication.frame_at}, position, GiveWay::kNever);
    if (is_backlog) mailbox_room_ += connection_->queue_cost() - cost_before;
  }
  shard_.reactor.payloads().drop(said);
}

void Session::acknowledge(Position position) noexcept {
  if (state_.subscriptions.empty()) return shard_.counters.acks_unknown.add();
  shard_.router.acknowledge(shard_.router.name(state_.subscriptions.front().channel), position);
  charge_turn(1);
  if (shard_.router.is_congested()) wait_for_turn();
}

}  // namespace sluice
