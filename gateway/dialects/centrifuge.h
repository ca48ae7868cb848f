// `/connection/websocket`: the Centrifuge protocol (version 2, JSON), for its clients as they are.
//
// The grammar is in proto/centrifuge; here is what is done. Commands of a connection are taken one
// after the other: one that needs a channel's home waits for the answer, and what came behind it
// waits too. A publication is put into this protocol's words once per shard.
//
// Invariants
//   1. A push of a channel never comes before the reply that tells of the subscription.
//   2. A channel with a history is followed without holes, or the client hears that it must begin
//      anew.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/payload.h"
#include "gateway/dialect.h"
#include "gateway/dialects/centrifuge_state.h"
#include "gateway/hooks/hook_kind.h"
#include "proto/centrifuge/codes.h"
#include "proto/centrifuge/command.h"
#include "proto/centrifuge/reply.h"
#include "proto/hooks/answer.h"
#include "proto/token/claims.h"

namespace sluice {

// Owned by a shard, on its thread; what it knows of a client is in its CentrifugeState.
class CentrifugeDialect final : public Dialect {
 public:
  static constexpr std::size_t kMessageBytesMax = 65536;
  static constexpr std::size_t kChannelsMax = 128;      // of one client
  static constexpr std::size_t kPublicationsMax = 300;  // in one answer

  explicit CentrifugeDialect(PayloadPool& payloads) noexcept : payloads_(payloads) {}

  void on_open(Session& session) noexcept override;
  void on_text(Session& session, Bytes text, std::size_t rest) noexcept override;
  void on_binary(Session& session, Bytes data, std::size_t rest) noexcept override;
  void on_joined(Session& session, const Joined& joined) noexcept override;
  void on_join_failed(Session& session, std::string_view channel) noexcept override;
  void on_answer(Session& session, const ShardMessage& message) noexcept override;
  void on_presence(Session& session, ChannelName channel, const PresenceEntry& entry,
                   bool is_there) noexcept override;
  void on_control(Session& session, const Control& control) noexcept override;
  void on_gap(Session& session, std::string_view channel, std::uint64_t missed) noexcept override;
  void on_turn(Session& session) noexcept override { go_on(session); }
  void on_thawed(Session& session) noexcept override;
  void on_hook_reply(Session& session, std::optional<std::string_view> body) noexcept override;
  void ping(Session& session) noexcept override;
  Farewell farewell(Cause cause) const noexcept override;
  Payload* translate(const Publication& publication, Position position,
                     const ChannelOptions& options) noexcept override;
  std::size_t encode_gap(Bytes out, std::uint64_t missed) noexcept override;
  Time next_deadline(Session& session) noexcept override;
  void on_deadline(Session& session, Time now) noexcept override;

 private:
  using Channel = CentrifugeState::Channel;

  // A command that is handled, and what the application server has said about it.
  struct Told {
    std::uint32_t id;
    std::string_view command;  // as it came
    bool is_answered = false;
    std::optional<std::string_view> body = {};  // nothing: it has not answered, and will not
  };

  // centrifuge.cc
  void run(Session& session, std::string_view commands, bool are_kept) noexcept;
  void go_on(Session& session) noexcept;
  bool may_go_on(Session& session) noexcept;
  void handle(Session& session, const centrifuge::Command& command, const Told& told) noexcept;
  void handle_connected(Session& session, const centrifuge::Command& command,
                        const Told& told) noexcept;
  void finish_asked(Session& session) noexcept;
  template <class Result>
  void reply(Session& session, std::uint32_t id, const Result& result) noexcept;
  void expire(Session& session) noexcept;

  // centrifuge_connect.cc
  void connect(Session& session, const Told& told,
               const centrifuge::ConnectRequest& request) noexcept;
  std::optional<token::ConnectionClaims> who_connects(
      Session& session, const Told& told, const centrifuge::ConnectRequest& request) noexcept;
  void complete_connect(Session& session) noexcept;
  void refuse_connect(Session& session, std::uint32_t id, const centrifuge::Error& error) noexcept;
  void refresh(Session& session, std::uint32_t id,
               const centrifuge::RefreshRequest& request) noexcept;

  // centrifuge_subscribe.cc
  void subscribe(Session& session, const Told& told,
                 const centrifuge::SubscribeRequest& request) noexcept;
  void unsubscribe(Session& session, std::uint32_t id, std::string_view name) noexcept;
  void sub_refresh(Session& session, std::uint32_t id,
                   const centrifuge::SubRefreshRequest& request) noexcept;
  void follow(Session& session, std::string_view channel, Channel followed,
              const centrifuge::Overrides& overrides) noexcept;
  void say_unsubscribed(Session& session, std::size_t index,
                        const centrifuge::Unsubscribe& reason) noexcept;
  bool make_result(Session& session, Channel& channel, const Joined& joined,
                   std::string& out) noexcept;
  void catch_up(Session& session, Channel& channel, const Joined& joined) noexcept;
  void push_missed(Session& session, const Joined& joined) noexcept;

  // centrifuge_control.cc
  void unsubscribe(Session& session, const Control& control) noexcept;
  void subscribe(Session& session, const Control& control) noexcept;
  void refresh(Session& session, const Control& control) noexcept;
  void push_subscribed(Session& session, Channel& channel, const Joined& joined) noexcept;

  // centrifuge_questions.cc
  void publish(Session& session, const Told& told,
               const centrifuge::PublishRequest& request) noexcept;
  void presence(Session& session, std::uint32_t id, std::string_view name,
                CentrifugeState::Asked::Kind kind) noexcept;
  void history(Session& session, std::uint32_t id,
               const centrifuge::HistoryRequest& request) noexcept;
  void ask_again(Session& session) noexcept;
  void answer_presence(Session& session, const ShardMessage& message) noexcept;
  void answer_history(Session& session, const ShardMessage& message) noexcept;

  // centrifuge_hooks.cc. Those that answer something do so if the command may go on; otherwise the
  // client has heard why not, or the question is out.
  static bool is_hooked(Session& session) noexcept;
  std::optional<token::ConnectionClaims> ask_who(
      Session& session, const Told& told, const centrifuge::ConnectRequest& request) noexcept;
  bool ask_subscribe(Session& session, const Told& told,
                     const centrifuge::SubscribeRequest& request, Channel& channel,
                     centrifuge::Overrides& overrides) noexcept;
  std::optional<hooks::PublishResult> ask_publish(
      Session& session, const Told& told, const centrifuge::PublishRequest& request) noexcept;
  void ask_hook(Session& session, HookKind kind, const Told& told, std::string body) noexcept;
  template <class Granted>
  std::optional<Granted> granted(
      Session& session, HookKind kind, const Told& told,
      std::optional<hooks::Answer<Granted>> (*read)(ConstBytes)) noexcept;
  void refuse(Session& session, std::uint32_t id, const centrifuge::Error& error) noexcept;

  PayloadPool& payloads_;
  std::string text_;  // what is being said; these two are kept for their capacity
  std::string push_;
};

}  // namespace sluice
