// What a Session says, and the channels it follows. Bytes, control frames and ends: session.cc.
#include <algorithm>
#include <array>
#include <string>

#include "core/base/check.h"
#include "gateway/dialect.h"
#include "gateway/presence_entry.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "gateway/uuid.h"

namespace sluice {
namespace {

// What one client may publish in a turn: that many messages, or so many units of bytes. What it
// lets us inflate counts in units too, since it takes us much longer than it.
constexpr std::uint32_t kUnitsPerTurn = 64;
constexpr std::size_t kTurnUnit = 4096;

}  // namespace

void Session::send_text(std::string_view text) noexcept {
  send_message(ws::Opcode::kText, as_bytes(text), 0);
}

void Session::send_message(ws::Opcode opcode, ConstBytes data, std::size_t more_expected) noexcept {
  if (!is_open()) return;
  if (connection_->queue_size() > 0 && is_memory_short()) return end(Cause::kQueuesFull);
  if (has_ended_) return;
  counters().sent.add();
  if (encoding_ != Encoding::kPlain && send_compressed(opcode, data, more_expected)) return;
  std::array<std::byte, ws::kFrameHeaderMax> header;
  const std::size_t size = ws::encode_header(header, opcode, true, data.size());
  connection_->write(std::span(header).first(size), data, size + data.size() + more_expected);
}

void Session::refuse(const dialect::Refusal& refusal) noexcept {
  std::string message;
  dialect::append_error(message, refusal);
  send_text(message);
  shard_.counters.errors_sent[static_cast<std::size_t>(refusal.code)].add();
  if (!dialect::is_of_clients_making(refusal.code)) return;
  if (++state_.errors >= shard_.limits.max_errors) end(Cause::kTooManyErrors);
}

void Session::publish(std::string_view channel, const PublicationDraft& draft) noexcept {
  publish(channel, draft, {});
}

void Session::ask_publish(std::string_view channel, const PublicationDraft& draft,
                          std::uint8_t flags) noexcept {
  publish(channel, draft, question(static_cast<std::uint8_t>(flags | ShardMessage::kWantAnswer)));
}

void Session::publish(std::string_view channel, const PublicationDraft& draft,
                      const Question& question) noexcept {
  shard_.router.publish(shard_.router.name(channel), draft, question);
  charge_turn(1 + static_cast<std::uint32_t>(draft.data.size() / kTurnUnit));
  if (shard_.router.is_congested()) wait_for_turn();
}

// So that one client cannot have all of a turn: what it sends beyond is read in the next one.
void Session::charge_turn(std::uint32_t units) noexcept {
  if (turn_ != shard_.router.turn()) used_units_ = 0;
  turn_ = shard_.router.turn();
  used_units_ += units;
  if (used_units_ >= kUnitsPerTurn) wait_for_turn();
}

void Session::wait_for_turn() noexcept {
  if (connection_->is_paused_for(Pause::kInbox)) return;
  connection_->pause(Pause::kInbox);
  shard_.router.resume_when_clear(self_);
}

void Session::count_inflated(std::size_t compressed, std::size_t plain) noexcept {
  shard_.compression.count_inflated(compressed, plain);
  charge_turn(static_cast<std::uint32_t>(plain / kTurnUnit));
}

std::size_t Session::index_of(std::string_view channel) const noexcept {
  const auto& all = state_.subscriptions;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [channel](const auto& s) { return s.channel == channel; });
  return static_cast<std::size_t>(found - all.begin());
}

bool Session::follows(std::string_view channel) const noexcept {
  return index_of(channel) < state_.subscriptions.size();
}

void Session::hold_input() noexcept {
  if (holds_++ == 0) connection_->pause(Pause::kReply);
}

void Session::release_input() noexcept {
  if (--holds_ == 0) connection_->resume(Pause::kReply);
}

void Session::on_turn() noexcept {
  used_units_ = 0;
  connection_->resume(Pause::kInbox);
  if (!has_ended_) dialect_.on_turn(*this);
}

Question Session::question(std::uint8_t flags) noexcept {
  hold_input();
  return {self_, next_request_++, static_cast<std::uint8_t>(flags | ShardMessage::kForSession)};
}

void Session::ask_history(std::string_view channel, const std::optional<Position>& since,
                          std::uint32_t count, bool is_reverse) noexcept {
  shard_.router.history(shard_.router.name(channel), since, count,
                        question(is_reverse ? ShardMessage::kReverse : std::uint8_t{0}));
}

void Session::ask_members(std::string_view channel, bool numbers_only) noexcept {
  shard_.router.members(shard_.router.name(channel),
                        question(numbers_only ? ShardMessage::kNumbersOnly : std::uint8_t{0}));
}

void Session::join(std::string_view channel, bool with_presence) noexcept {
  SessionState::Subscription subscription;
  subscription.channel = channel;
  subscription.with_presence = with_presence;
  state_.subscriptions.push_back(std::move(subscription));
  links_.emplace_back();
  ask_subscribe(links_.size() - 1, 0);
}

void Session::ask_subscribe(std::size_t index, std::uint64_t order) noexcept {
  const SessionState::Subscription& subscription = state_.subscriptions[index];
  links_[index].request = next_request_++;
  hold_input();
  SubscribeWish how;
  std::string entry;
  if (subscription.with_presence) {
    how.flags |= ShardMessage::kWithPresence;
    how.order = order;
    pack_presence(index, entry);
    how.presence = entry;
  }
  if (state_.acknowledges) how.flags |= ShardMessage::kKeepUntilAck;
  if (state_.centrifuge && state_.centrifuge->channels[index].has_position) {
    how.flags |= ShardMessage::kSince;
    how.since = state_.centrifuge->channels[index].position;
  }
  shard_.router.subscribe(self_, links_[index].request, shard_.router.name(subscription.channel),
                          how);
}

// What others may know of us in a channel.
void Session::pack_presence(std::size_t index, std::string& out) const {
  const std::string id = client_id();
  const std::string_view channel = state_.subscriptions[index].channel;
  PresenceEntry entry;
  entry.client = id;
  entry.nickname = state_.nickname;
  if (kind_of(channel) == ChannelKind::kUser) entry.user = user_text(channel);
  if (state_.centrifuge) {
    const CentrifugeState::Channel& followed = state_.centrifuge->channels[index];
    entry.user = state_.centrifuge->user;
    entry.connection_info = state_.centrifuge->info;
    entry.channel_info = followed.info;
    entry.is_listed = followed.is_listed;
    entry.is_announced = followed.is_announced;
  } else {
    entry.is_announced = shard_.router.namespaces().of_channel(channel).join_leave;
  }
  entry.pack(out);
}

std::string Session::client_id() const {
  if (state_.centrifuge && !state_.centrifuge->client.empty()) return state_.centrifuge->client;
  std::array<std::uint32_t, 4> unique = {shard_.index, self_.slot, self_.generation, 0};
  const auto hash = [&] {
    return shard_.router.name(as_text(std::as_bytes(std::span(unique)))).hash;
  };
  const std::uint64_t high = hash();
  unique[3] = 1;
  return make_uuid(high, hash());
}

// links_.size() if no subscribe under way has that number.
std::size_t Session::index_of_request(std::uint32_t request) const noexcept {
  const auto link = std::find_if(links_.begin(), links_.end(),
                                 [request](const Link& l) { return l.request == request; });
  return static_cast<std::size_t>(link - links_.begin());
}

bool Session::on_subscribed(ChannelName channel, const ShardMessage& answer) noexcept {
  const std::size_t index = index_of_request(answer.request);
  if (has_ended_ || index == links_.size()) return false;
  SessionState::Subscription& subscription = state_.subscriptions[index];
  links_[index].request = 0;
  links_[index].place = shard_.router.hub().join(channel, *this);
  subscription.is_live = true;
  subscription.order = answer.order;
  shard_.counters.subscriptions.add(1);
  release_input();
  Joined joined{channel.text, {answer.epoch, answer.number}};
  if ((answer.flags & ShardMessage::kSince) != 0) {
    joined.since = HistoryAnswer::unpack(as_bytes(rest_of(answer)));
  }
  dialect_.on_joined(*this, joined);
  return true;
}

void Session::on_refused(std::uint32_t request) noexcept {
  const std::size_t index = index_of_request(request);
  if (has_ended_ || index == links_.size()) return;
  const std::string channel = state_.subscriptions[index].channel;
  drop_subscription(index);
  dialect_.on_join_failed(*this, channel);
}

void Session::leave(std::string_view channel) noexcept {
  const std::size_t index = index_of(channel);
  if (index < state_.subscriptions.size()) drop_subscription(index);
}

// One that was not answered yet is unsubscribed by the Router when the answer finds nobody.
void Session::drop_subscription(std::size_t index) noexcept {
  SessionState::Subscription& subscription = state_.subscriptions[index];
  if (subscription.is_live) {
    shard_.router.hub().leave(links_[index].place);
    shard_.counters.subscriptions.add(-1);
    std::uint8_t flags = 0;
    if (subscription.with_presence) flags |= ShardMessage::kWithPresence;
    if (state_.acknowledges) flags |= ShardMessage::kKeepUntilAck;
    shard_.router.unsubscribe(shard_.router.name(subscription.channel), flags, subscription.order);
  } else if (links_[index].request != 0) {
    release_input();
  }
  if (state_.centrifuge) {
    auto& channels = state_.centrifuge->channels;
    channels.erase(channels.begin() + static_cast<std::ptrdiff_t>(index));
  }
  state_.subscriptions.erase(state_.subscriptions.begin() + static_cast<std::ptrdiff_t>(index));
  links_.erase(links_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Session::leave_channels() noexcept {
  return_early();
  while (!links_.empty()) drop_subscription(links_.size() - 1);
}

void Session::moved_in_hub(Hub::Place place) noexcept {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (state_.subscriptions[i].is_live && links_[i].place.channel == place.channel) {
      links_[i].place = place;
      return;
    }
  }
  SLUICE_CHECK(false);  // the Hub knows us in a channel that we do not
}

void Session::update_presence(std::string_view channel, bool set_nickname,
                              bool want_list) noexcept {
  const std::size_t index = index_of(channel);
  if (index == state_.subscriptions.size() || !state_.subscriptions[index].is_live) return;
  std::uint8_t flags = 0;
  if (set_nickname) flags |= ShardMessage::kSetNickname;
  if (want_list) flags |= ShardMessage::kWantList;
  shard_.router.set_presence(self_, shard_.router.name(channel), flags, state_.nickname,
                             state_.subscriptions[index].order);
}

void Session::on_control(const Control& control) noexcept {
  if (has_ended_ || !control.concerns(client_id())) return;
  if (control.kind != Control::Kind::kDisconnect) return dialect_.on_control(*this, control);
  end_with(Cause::kForced, static_cast<ws::CloseCode>(control.code), control.reason);
}

void Session::on_presence(ChannelName channel, const PresenceEntry& entry, bool is_there) noexcept {
  if (is_open()) dialect_.on_presence(*this, channel, entry, is_there);
}

void Session::on_answer(const ShardMessage& message) noexcept {
  if (has_ended_) return;
  release_input();
  dialect_.on_answer(*this, message);
}

}  // namespace sluice
