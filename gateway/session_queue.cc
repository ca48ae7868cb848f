// What reaches a Session from its channels, and what gives way when there is no room for it.
#include <optional>

#include "gateway/dialect.h"
#include "gateway/give_way.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "gateway/shedder.h"

namespace sluice {
namespace {

// Kept free for what has to be said about a lack of room: a gap message or a Close.
constexpr std::size_t kLastWords = 256;

std::size_t less(std::size_t from, std::size_t by) noexcept { return from > by ? from - by : 0; }

}  // namespace

void Session::deliver(ChannelName channel, const Publication& publication, Position position,
                      const ChannelOptions& options) noexcept {
  if (state_.centrifuge) return deliver_translated(channel, publication, position, options, false);
  if (state_.acknowledges) return deliver_numbered(channel, publication, position, false);
  withdraw_older(publication);
  const std::size_t size = publication.payload->bytes.size();
  std::optional<Drop> lack;
  if (!is_open()) {
    lack = Drop::kSessionEnded;
  } else if (!has_room(size)) {
    lack = make_room(size, options.slow_consumer);
  }
  if (!lack) return enqueue(publication, position, give_way(options.slow_consumer));
  if (is_open()) {  // it loses only this
    shard_.counters.drop(*lack);
    connection_->write_gap(1, dialect_);
    return;
  }
  return_unsent(channel, publication, position, *lack);
}

// Who keeps up gets everything. What was begun is finished.
void Session::withdraw_older(const Publication& newest) noexcept {
  if (newest.mark == 0 || !is_open() || connection_->backlog() == 0) return;
  const auto is_older = [&newest](const Payload& queued, std::uint16_t frame_at) {
    return are_of_one_key({queued.bytes, frame_at}, newest.view());
  };
  shard_.counters.drop(Drop::kConflated, connection_->withdraw(newest.mark, dialect_, is_older));
}

void Session::return_unsent(ChannelName channel, const Publication& publication, Position position,
                            Drop reason) noexcept {
  PayloadPool::refer(*publication.payload);
  shard_.router.return_unsent(publication, channel.hash, position.offset, reason);
}

void Session::deliver_backlog(ChannelName channel, const Publication& publication,
                              Position position) noexcept {
  if (state_.centrifuge) {
    const auto& options = shard_.router.namespaces().of_channel(channel.text);
    return deliver_translated(channel, publication, position, options, true);
  }
  if (state_.acknowledges) return deliver_numbered(channel, publication, position, true);
  if (!is_open()) return deliver(channel, publication, position, ChannelOptions{});
  const std::size_t cost_before = connection_->queue_cost();
  enqueue(publication, position, GiveWay::kNever);
  mailbox_room_ += connection_->queue_cost() - cost_before;
}

void Session::enqueue(const Publication& publication, Position position,
                      GiveWay give_way) noexcept {
  Payload& encoded = encode(publication, give_way);
  connection_->write(encoded, publication.frame_at, position.offset, give_way, publication.mark);
  counters().sent.add();
}

// What a client that acknowledges was to be sent is kept: the next session gets it, in its place.
void Session::report_gap(ChannelName channel, std::uint64_t missed) noexcept {
  if (state_.acknowledges) return end(Cause::kQueuesFull);
  report_missed(channel, missed);
}

void Session::report_missed(ChannelName channel, std::uint64_t missed) noexcept {
  if (is_open()) dialect_.on_gap(*this, channel.text, missed);
}

void Session::write_gap(std::uint64_t missed) noexcept {
  if (is_open()) connection_->write_gap(missed, dialect_);
}

void Session::send_text_if_room(std::string_view text, SlowConsumer policy) noexcept {
  if (!is_open()) return;
  if (!has_room(text.size()) && make_room(text.size(), policy)) {
    return;
  }
  send_text(text);
}

void Session::on_client_list(Payload& frame) noexcept {
  state_.list_is_due = false;
  if (!is_open()) return;
  if (!has_room(frame.bytes.size()) && !make_room_for_answer(frame.bytes.size())) return;
  enqueue({&frame, 0}, {}, GiveWay::kNever);
}

// Within this session's bound. The message that is leaving does not count, or a large one would
// leave no room behind it.
bool Session::fits(std::size_t size) const noexcept {
  const std::size_t waiting = connection_->queue_cost() - connection_->leaving_size();
  return waiting + size + kLastWords <= shard_.limits.write_queue + mailbox_room_;
}

// Only a peer that has refused something is judged: what this turn queues it has not seen yet.
bool Session::has_room(std::size_t size) noexcept {
  if (connection_->queue_size() == 0) mailbox_room_ = 0;
  if (connection_->backlog() == 0 || connection_->queue_size() == 0) return true;
  return fits(size) && !shard_.is_over_memory();
}

// Even after those with the largest queues have given way. This session may be one of them.
bool Session::is_memory_short() noexcept {
  return shard_.is_over_memory() && !shard_.shedder.make_room();
}

// Why a publication of `size` bytes may not be queued after all, if it may not. If the policy is to
// disconnect, the session has then ended; it may also have ended because its queue was the largest.
std::optional<Drop> Session::make_room(std::size_t size, SlowConsumer policy) noexcept {
  const bool is_short = is_memory_short();
  if (!is_open()) return Drop::kQueuesFull;
  const bool is_slow = !fits(size);
  if (!is_slow && !is_short) return std::nullopt;
  const Drop reason = is_slow ? Drop::kSlowConsumer : Drop::kQueuesFull;
  if (policy == SlowConsumer::kDisconnect) {
    end(is_slow ? Cause::kSlowConsumer : Cause::kQueuesFull);
    return reason;
  }
  if (policy == SlowConsumer::kDropNewest) return reason;
  const std::size_t bound = shard_.limits.write_queue + mailbox_room_ + connection_->leaving_size();
  const std::size_t cost_max =
      is_slow ? less(bound, size + kLastWords) : less(connection_->queue_cost(), size);
  // Nothing is lost that would not make room.
  if (!connection_->can_drop_oldest_to(cost_max)) return reason;
  shard_.counters.drop(reason, connection_->drop_oldest(cost_max, dialect_));
  return std::nullopt;
}

// An answer is not lost for want of room: what may give way does, whatever it is, or the session.
bool Session::make_room_for_answer(std::size_t size) noexcept {
  const bool is_short = is_memory_short();
  if (!is_open()) return false;
  if (!fits(size)) {
    const std::size_t bound =
        shard_.limits.write_queue + mailbox_room_ + connection_->leaving_size();
    drop_down_to(less(bound, size + kLastWords), Drop::kSlowConsumer);
  }
  if (fits(size) && !is_short) return true;
  end(fits(size) ? Cause::kQueuesFull : Cause::kSlowConsumer);
  return false;
}

std::size_t Session::drop_down_to(std::size_t cost_max, Drop reason) noexcept {
  const std::size_t dropped =
      connection_->drop_oldest(cost_max, dialect_) + connection_->drop_newest(cost_max, dialect_);
  shard_.counters.drop(reason, dropped);
  return dropped;
}

void Session::give_back_unbegun() noexcept {
  connection_->take_unbegun([this](Payload& payload, std::uint16_t frame_at, std::uint64_t offset) {
    give_back(payload, frame_at, offset, Drop::kQueuesFull);
  });
}

void Session::shed() noexcept {
  if (has_ended_) {  // it was told so, and does not take that either
    give_back_unbegun();
    connection_->abort();
    return;
  }
  if (!is_open()) return;  // the stream broke; its end is on its way
  if (drop_down_to(connection_->queue_cost() / 2, Drop::kQueuesFull) > 0) return;
  give_back_unbegun();
  end(Cause::kQueuesFull);
}

}  // namespace sluice
