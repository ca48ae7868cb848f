// The dialects of this gateway, one object each per shard.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "gateway/dialect.h"
#include "proto/dialect/relay.h"

namespace sluice {

// `/`: what was sent comes back. Needs no identity and follows no channel.
class EchoDialect final : public Dialect {
 public:
  void on_open(Session& session) noexcept override;
  void on_text(Session& session, Bytes text, std::size_t rest) noexcept override;
  void on_binary(Session& session, Bytes data, std::size_t rest) noexcept override;
  void on_joined(Session& session, const Joined& joined) noexcept override;
  void on_join_failed(Session& session, std::string_view channel) noexcept override;
  std::size_t encode_gap(Bytes out, std::uint64_t missed) noexcept override;
  void on_deadline(Session& session, Time now) noexcept override;
};

// `/chat`: one channel for everybody, who is listed by nickname.
class ChatDialect final : public Dialect {
 public:
  void on_open(Session& session) noexcept override;
  void on_text(Session& session, Bytes text, std::size_t rest) noexcept override;
  void on_binary(Session& session, Bytes data, std::size_t rest) noexcept override;
  void on_joined(Session& session, const Joined& joined) noexcept override;
  void on_join_failed(Session& session, std::string_view channel) noexcept override;
  std::size_t encode_gap(Bytes out, std::uint64_t missed) noexcept override;
  void on_deadline(Session& session, Time now) noexcept override;

 private:
  void update_clients(Session& session, std::string_view nickname) noexcept;
};

// `/sendone`: a session says which user it is and sends to users.
class RelayDialect final : public Dialect {
 public:
  explicit RelayDialect(PayloadPool& payloads) noexcept : payloads_(payloads) {}

  void on_open(Session& session) noexcept override;
  void on_text(Session& session, Bytes text, std::size_t rest) noexcept override;
  void on_binary(Session& session, Bytes data, std::size_t rest) noexcept override;
  void on_joined(Session& session, const Joined& joined) noexcept override;
  void on_join_failed(Session& session, std::string_view channel) noexcept override;
  Payload* translate(const Publication& publication, Position position,
                     const ChannelOptions& options) noexcept override;
  std::size_t encode_gap(Bytes out, std::uint64_t missed) noexcept override;
  void on_deadline(Session& session, Time now) noexcept override;

 private:
  bool may_send_as(Session& session, const UserId& own) noexcept;
  void accept(Session& session, const dialect::RelayCommand& command) noexcept;
  bool bind(Session& session, std::string_view user_channel, bool acknowledges) noexcept;
  void acknowledge(Session& session, std::string_view text) noexcept;

  PayloadPool& payloads_;
  std::string text_;  // what is being said; kept for its capacity
};

}  // namespace sluice
