// One client as the domain sees it: a WebSocket that speaks a dialect.
//
// Turns bytes into messages for its Dialect and whatever the Dialect and the Hub want said into
// frames. Control frames, liveness and the ways to end are the same for all dialects and live here.
//
// Invariants
//   1. All state is in SessionState; the rest can be derived from it.
//   2. After `end` nothing more is sent but the Close, and no message reaches the Dialect.
//   3. A session leaves all channels in the turn in which it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/connection.h"
#include "core/timer_wheel.h"
#include "gateway/broker.h"
#include "gateway/cause.h"
#include "gateway/channel_name.h"
#include "gateway/config/namespaces.h"
#include "gateway/control.h"
#include "gateway/hooks/hook_kind.h"
#include "gateway/hub.h"
#include "gateway/presence_entry.h"
#include "gateway/publication.h"
#include "gateway/question.h"
#include "gateway/session_state.h"
#include "gateway/shard_compression.h"
#include "gateway/shard_context.h"
#include "gateway/shard_message.h"
#include "proto/dialect/errors.h"
#include "proto/hooks/answer.h"
#include "proto/hooks/event.h"

namespace sluice {

class Dialect;

// A session that left its process: its state, and what was on its way.
struct FrozenSession {
  Departure departure;
  SocketAddress peer;
  std::vector<std::byte> state;
};

// Lives in its shard's table; used on that shard's thread. Not a Connection: it may be without one
// only while it is being thawed. Does not decide who gets a message: that is the Router's business.
class Session final : public Stage {
 public:
  Session(ShardContext& shard, Connection& connection, SessionState state);
  ~Session();

  // `self` is this session's handle. A new one goes through its Dialect; a thawed one subscribes
  // anew.
  void start(Handle self) noexcept;
  void thaw(Handle self) noexcept;

  SessionState& state() noexcept { return state_; }
  const SocketAddress& peer() const noexcept { return connection_->peer(); }
  ShardContext& shard() noexcept { return shard_; }
  // Whether the client can be told anything: not before its 101, not after the stream broke.
  bool is_open() const noexcept {
    return !has_ended_ && state_.phase == SessionState::Phase::kOpen && connection_->takes_output();
  }

  // For dialects.
  void complete_opening() noexcept;
  void send_text(std::string_view text) noexcept;
  void send_message(ws::Opcode opcode, ConstBytes data, std::size_t more_expected) noexcept;
  // Answers with an error message; too many of the client's own making end the session.
  void refuse(const dialect::Refusal& refusal) noexcept;
  void count_ignored() noexcept { counters().ignored.add(); }
  // Sends `text` if the queue has room for it; else it is dropped, or the session ends, as `policy`
  // says. For what others cause, and what is not counted.
  void send_text_if_room(std::string_view text, SlowConsumer policy) noexcept;
  // Says that `missed` publications are missing behind the last one that was queued.
  void write_gap(std::uint64_t missed) noexcept;
  // An empty WebSocket ping.
  void write_ping() noexcept;
  // The client has shown that it lives: the next ping is due in its time.
  void on_sign_of_life() noexcept;
  void schedule_first_ping() noexcept;
  // Asks to follow a channel; input waits until Dialect::on_joined or on_join_failed. Of the
  // Centrifuge dialect: `channels` has its entry already.
  void join(std::string_view channel, bool with_presence) noexcept;
  void leave(std::string_view channel) noexcept;
  // The client has the message at that position of its user's channel.
  void acknowledge(Position position) noexcept;
  // Whether the kernel has all that was to be sent.
  bool has_sent_all() const noexcept { return !early_ && connection_->queue_size() == 0; }
  bool follows(std::string_view channel) const noexcept;
  // REQUIRES: fits_in_head.
  void publish(std::string_view channel, const PublicationDraft& draft) noexcept;
  // Questions to a channel's home; input waits until Dialect::on_answer. As Router has them.
  // `flags`: kNoPlace or none.
  void ask_publish(std::string_view channel, const PublicationDraft& draft,
                   std::uint8_t flags = 0) noexcept;
  void ask_history(std::string_view channel, const std::optional<Position>& since,
                   std::uint32_t count, bool is_reverse) noexcept;
  void ask_members(std::string_view channel, bool numbers_only) noexcept;
  // No input is read between the two; they nest.
  void hold_input() noexcept;
  void release_input() noexcept;
  // Counts work that a client has us do: when it has had its part of the turn, may_work says so
  // until Dialect::on_turn.
  void charge_turn(std::uint32_t units) noexcept;
  bool may_work() const noexcept { return !connection_->is_paused_for(Pause::kInbox); }
  // So much waits to be sent that no more answers should be made.
  bool is_backed_up() const noexcept {
    return connection_->queue_size() > shard_.limits.write_queue / 2;
  }
  // The client is told already that it does not follow the channel any more. Leaves it when nobody
  // walks through the channel.
  void lose_channel(std::size_t index) noexcept;
  // Leaves those at once. Not from the Hub.
  void drop_lost_channels() noexcept;
  // Delivers what came before the client knew that it follows anything.
  void deliver_early() noexcept;
  // Where in the subscriptions; their number if the channel is not among them.
  std::size_t index_of(std::string_view channel) const noexcept;
  // This connection, as a UUID that no other has.
  std::string client_id() const;
  // Tells the channel's list of clients our nickname; with `want_list` asks for that list.
  void update_presence(std::string_view channel, bool set_nickname, bool want_list) noexcept;
  // The Dialect wants on_deadline at `when`.
  void wake_at(Time when) noexcept { shard_.reactor.timers().arm_by(timer_, when); }
  void end(Cause cause) noexcept;
  // Asks the application server; input waits until Dialect::on_hook_reply. False: too many wait for
  // its answers. REQUIRES: it has that hook, and no other question of this session is out.
  bool ask_hook(HookKind kind, std::string body) noexcept;
  // The application server has answered that the client is to go.
  void end_as_told(const hooks::Disconnect& disconnect) noexcept;
  // The client is connected, if somebody wants to know.
  void report_connected() noexcept;

  // From the desks of hooks.
  bool waits_for_hook(std::uint32_t number) const noexcept {
    return !has_ended_ && hook_ == number;
  }
  void on_hook_reply(std::optional<std::string_view> body) noexcept;

  // From the Hub and the Router.
  // `options`: of the channel.
  void deliver(ChannelName channel, const Publication& publication, Position position,
               const ChannelOptions& options) noexcept;
  // The same for what waited in the mailbox. It is not the client's fault that so much comes at
  // once, so the bound of the queue rises by it until it has left, and it does not give way.
  void deliver_backlog(ChannelName channel, const Publication& publication,
                       Position position) noexcept;
  // `missed` publications of a channel will not come.
  void report_gap(ChannelName channel, std::uint64_t missed) noexcept;
  // The same of what a mailbox gave up.
  void report_missed(ChannelName channel, std::uint64_t missed) noexcept;
  void moved_in_hub(Hub::Place place) noexcept;
  // False: no longer wanted.
  bool on_subscribed(ChannelName channel, const ShardMessage& answer) noexcept;
  void on_refused(std::uint32_t request) noexcept;
  void on_client_list(Payload& frame) noexcept;
  void on_control(const Control& control) noexcept;
  void on_presence(ChannelName channel, const PresenceEntry& entry, bool is_there) noexcept;
  void on_answer(const ShardMessage& message) noexcept;
  void leave_channels() noexcept;
  // What was asked of the Router with leave_later: all channels at the end, else the lost ones.
  void settle_channels() noexcept;
  // From the Shedder: what waits here is the most of all. Gives up half of it, or itself; nothing
  // more is to be had from a session that has ended afterwards.
  void shed() noexcept;
  // What is queued for a peer that has refused some of it; else 0.
  std::size_t slow_bytes() const noexcept {
    return connection_->backlog() == 0 ? 0 : connection_->queue_size();
  }
  bool has_ended() const noexcept { return has_ended_; }
  // It has had its part of the last turn, and may go on with a new one.
  void on_turn() noexcept;
  // Takes the session out of this process; ShardContext::on_frozen brings it.
  void freeze() noexcept { connection_->release(); }

 private:
  // Where a live subscription stands in the Hub; parallel to state_.subscriptions.
  struct Link {
    Hub::Place place;
    std::uint32_t request = 0;  // of the subscribe under way, 0 if none
  };

  // A publication that waits for the answer to a connect, with one reference.
  struct Early {
    Publication publication;
    Position position;
    std::uint64_t channel_hash;
    bool is_backlog;
  };

  // Stage
  std::size_t on_bytes(Connection& connection, Bytes bytes) noexcept override;
  void on_eof(Connection& connection) noexcept override;
  void on_drained(Connection& connection) noexcept override;
  void on_end(Connection& connection, StreamEnd end) noexcept override;
  void on_released(Connection& connection, Departure departure) noexcept override;

  bool take(const ws::Event& event, std::size_t rest) noexcept;
  void count_message(const ws::Event& event) noexcept;
  void answer_ping(ConstBytes payload) noexcept;
  void answer_close(const ws::Event& event) noexcept;
  void say_close(ws::CloseCode code, std::string_view reason) noexcept;
  void finish(Cause cause, ws::CloseCode code) noexcept;
  void end_with(Cause cause, ws::CloseCode code, std::string_view reason) noexcept;
  void take_back_unsent() noexcept;
  void give_back_unbegun() noexcept;
  void give_back(Payload& payload, std::uint16_t frame_at, std::uint64_t offset,
                 Drop reason) noexcept;
  void hold_channels() noexcept;
  bool may_be_a_user() const noexcept;
  void publish(std::string_view channel, const PublicationDraft& draft,
               const Question& question) noexcept;
  std::size_t index_of_request(std::uint32_t request) const noexcept;
  // session_translation.cc
  void deliver_translated(ChannelName channel, const Publication& publication, Position position,
                          const ChannelOptions& options, bool is_backlog) noexcept;
  void enqueue_translated(ChannelName channel, CentrifugeState::Channel& followed,
                          const Publication& publication, Position position,
                          const ChannelOptions& options, bool is_backlog) noexcept;
  void return_unsent(ChannelName channel, const Publication& publication, Position position,
                     Drop reason) noexcept;
  void return_early() noexcept;
  // session_acknowledged.cc
  void deliver_numbered(ChannelName channel, const Publication& publication, Position position,
                        bool is_backlog) noexcept;
  // session_queue.cc
  void withdraw_older(const Publication& newest) noexcept;
  bool fits(std::size_t size) const noexcept;
  bool has_room(std::size_t size) noexcept;
  std::optional<Drop> make_room(std::size_t size, SlowConsumer policy) noexcept;
  bool make_room_for_answer(std::size_t size) noexcept;
  std::size_t drop_down_to(std::size_t cost_max, Drop reason) noexcept;
  bool is_memory_short() noexcept;
  void wait_for_turn() noexcept;
  void count_inflated(std::size_t compressed, std::size_t plain) noexcept;
  void enqueue(const Publication& publication, Position position, GiveWay give_way) noexcept;
  ws::Compressor* own_compressor() noexcept;
  bool send_compressed(ws::Opcode opcode, ConstBytes data, std::size_t more_expected) noexcept;
  Payload& encode(const Publication& publication, GiveWay& give_way) noexcept;
  void on_timer(Time now) noexcept;
  void forgive(Time now) noexcept;
  void refuse_opening() noexcept;
  // session_hooks.cc
  void open() noexcept;
  void open_as_told(std::optional<std::string_view> body) noexcept;
  void refuse_opening_for(std::string_view reason) noexcept;
  hooks::Event event(hooks::EventType type, const std::string& id) const noexcept;
  void report_disconnected() noexcept;
  Time next_deadline() noexcept;
  void pack_presence(std::size_t index, std::string& out) const;
  Question question(std::uint8_t flags) noexcept;
  void ask_subscribe(std::size_t index, std::uint64_t order) noexcept;
  void drop_subscription(std::size_t index) noexcept;
  DialectCounters& counters() noexcept { return shard_.counters.of(state_.dialect); }

  ShardContext& shard_;
  Connection* connection_;
  Dialect& dialect_;
  SessionState state_;
  std::vector<Link> links_;
  std::unique_ptr<ws::Compressor> compressor_;  // with Encoding::kOwn, made at first use
  Handle self_;
  Timer timer_;
  std::uint32_t next_request_ = 1;
  std::uint32_t hook_ = 0;        // of the question to the application server; 0: none is out
  std::uint32_t holds_ = 0;       // of input: answers that are due, and what a dialect asked for
  std::size_t mailbox_room_ = 0;  // cost of deliver_backlog's since the queue was last empty
  std::uint32_t turn_ = 0;        // of the Router, in which `used_units_` were counted
  std::uint32_t used_units_ = 0;
  Time pings_since_;         // when the first of the counted pings came
  std::uint32_t pings_ = 0;  // a thawed session begins a second of its own
  // The channel that waits for our end (Router::hold); rarely any.
  std::unique_ptr<std::string> held_;
  std::unique_ptr<std::vector<Early>> early_;  // rarely any
  Cause cause_ = Cause::kNone;
  ws::CloseCode close_code_ = ws::kCloseAbnormal;  // what the metric says
  bool has_ended_ = false;
  const Encoding encoding_;
};

}  // namespace sluice
