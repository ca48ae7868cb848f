// Connections that move - between shards, out of the process and in again - and the end of a shard.
#include <unistd.h>

#include <cstring>

#include "core/base/check.h"
#include "gateway/shard.h"

namespace sluice {
namespace {

// A connection on its way to another shard, in front of its unread bytes.
struct HandedConnection {
  SocketAddress peer;
  int descriptor;
  std::uint32_t listener;
  std::uint64_t body_due;
};

}  // namespace

void Shard::on_shard_message(std::uint32_t, const ShardMessage& message) noexcept {
  switch (message.kind) {
    case ShardMessage::Kind::kHandOver:
      take_over(message);
      break;
    case ShardMessage::Kind::kPublished:
    case ShardMessage::Kind::kHistoryAnswer:
    case ShardMessage::Kind::kMembersAnswer:
    case ShardMessage::Kind::kChannelsAnswer:
    case ShardMessage::Kind::kDone:
      if (HttpStage* stage = http_.get(message.session)) stage->on_answer(message);
      if (message.payload != nullptr) reactor_.payloads().drop(*message.payload);
      break;
    case ShardMessage::Kind::kStop:
      begin_stop(Time(Duration(static_cast<std::int64_t>(message.number))));
      break;
    default:
      SLUICE_CHECK(false);
  }
}

void Shard::on_http_left(Handle stage, HttpDeparture departed) noexcept {
  if (departed.to_shard == HttpDeparture::kNoShard) uncount(*http_.get(stage));
  http_.free(stage);
  if (departed.to_shard == HttpDeparture::kNoShard) {
    emigrants_.http.push_back(std::move(departed));
  } else {
    hand_over(departed);
  }
}

void Shard::hand_over(const HttpDeparture& departed) noexcept {
  const auto& unread = departed.departure.unread;
  const HandedConnection handed{departed.peer, departed.departure.descriptor, departed.listener,
                                departed.body_due};
  Payload& payload = reactor_.payloads().make(sizeof(handed) + unread.size());
  std::byte* out = PayloadPool::writable(payload).data();
  std::memcpy(out, &handed, sizeof(handed));
  if (!unread.empty()) std::memcpy(out + sizeof(handed), unread.data(), unread.size());
  ShardMessage message;
  message.kind = ShardMessage::Kind::kHandOver;
  message.payload = &payload;
  router_.post(departed.to_shard, message);
  counters_.handed_over.add();
}

void Shard::take_over(const ShardMessage& message) noexcept {
  HandedConnection handed;
  std::memcpy(&handed, message.payload->bytes.data(), sizeof(handed));
  HttpDeparture departed;
  departed.departure.descriptor = handed.descriptor;
  const ConstBytes unread = message.payload->bytes.subspan(sizeof(handed));
  departed.departure.unread.assign(unread.begin(), unread.end());
  departed.peer = handed.peer;
  departed.listener = handed.listener;
  departed.body_due = handed.body_due;
  reactor_.payloads().drop(*message.payload);
  if (!settle_http(departed)) leave_count(handed.peer);
}

bool Shard::settle_http(const HttpDeparture& departed) noexcept {
  const auto connection = reactor_.adopt(departed.departure.descriptor, departed.peer,
                                         departed.departure.unread, departed.departure.unsent);
  if (!connection) return false;
  SLUICE_CHECK(departed.listener < listeners_.size());
  open_http(**connection, listeners_[departed.listener]).expect_body(departed.body_due);
  if (stop_deadline_) (*connection)->close();
  return true;
}

void Shard::on_session_frozen(Handle session, FrozenSession frozen) noexcept {
  leave_count(frozen.peer);
  emigrants_.sessions.push_back(std::move(frozen));
  sessions_.free(session);
}

void Shard::freeze_all() noexcept {
  sessions_.for_each([](Handle, Session& session) { session.freeze(); });
  http_.for_each([](Handle, HttpStage& stage) { stage.leave(HttpDeparture::kNoShard); });
}

bool Shard::thaw(const FrozenSession& frozen) noexcept {
  const auto connection = reactor_.adopt(frozen.departure.descriptor, frozen.peer,
                                         frozen.departure.unread, frozen.departure.unsent);
  if (!connection) return false;
  ConstBytes saved = frozen.state;
  auto state = SessionState::load(reader_context_, reactor_.now(), saved);
  if (!state) {
    shared_.log.warn("a session could not be taken in", {{"reason", state.error()}});
    (*connection)->abort();
    return false;
  }
  shared_.connections.count(frozen.peer);
  const Handle self = sessions_.allocate(context_, **connection, std::move(*state));
  sessions_.get(self)->thaw(self);
  return true;
}

// No new connections; sessions are told to go, and get until `deadline` to do so.
void Shard::begin_stop(Time deadline) noexcept {
  if (stop_deadline_) return;
  stop_deadline_ = deadline;
  for (const Listener& listener : listeners_) backend_->close_listener(listener.handle);
  sessions_.for_each([](Handle, Session& session) { session.end(Cause::kShutdown); });
  http_.for_each([](Handle, HttpStage& stage) { stage.close(); });
  reactor_.timers().arm(stop_timer_, deadline);
  if (events_ != nullptr) events_->hurry();
}

bool Shard::finish_turn() noexcept {
  if (!shared_.exchange.has_work(index_) && !router_.has_work()) return false;
  router_.take_inbox();
  router_.settle();
  router_.on_turn_end();
  shared_.exchange.flush(index_, [](std::uint32_t) {});
  return true;
}

void Shard::check_stop() noexcept {
  // What happens behind that is told by the next process, if there is a disk.
  if (events_ != nullptr && (is_stop_due() || reactor_.now() >= *stop_deadline_)) {
    const EventOutbox::LeftOver left = events_->give_up();
    if (left.lost > 0) {
      shared_.log.warn("events were not taken in time", {{"shard", index_}, {"events", left.lost}});
    }
    if (left.kept > 0) {
      shared_.log.info("events wait on disk for the next start",
                       {{"shard", index_}, {"events", left.kept}});
    }
  }
  if (is_stop_due()) {
    stopped_ = true;
    access_log_.close();
  } else if (reactor_.now() >= *stop_deadline_ && !aborting_) {
    aborting_ = true;
    reactor_.for_each_connection([](Connection& connection) { connection.abort(); });
  }
}

}  // namespace sluice
