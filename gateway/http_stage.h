// A connection while it speaks HTTP: answers requests until one becomes a WebSocket.
//
// Invariants
//   1. Every request is answered once, errors too; after an error the connection closes.
//   2. Bytes behind a handshake are not touched: they are the session's.
//   3. Between requests no buffer is held, but for empty lines that came there.
//   4. While a call of the API is not answered no further input is read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/connection.h"
#include "core/timer_wheel.h"
#include "gateway/access_log.h"
#include "gateway/admission.h"
#include "gateway/api/api_call.h"
#include "gateway/endpoints.h"
#include "gateway/shard_context.h"
#include "gateway/shard_counters.h"
#include "gateway/shard_message.h"
#include "proto/http/request_parser.h"
#include "proto/ws/deflate_offer.h"
#include "proto/ws/handshake.h"

namespace sluice {

// A connection that leaves a shard while it speaks HTTP.
struct HttpDeparture {
  static constexpr std::uint32_t kNoShard = 0xffffffff;

  Departure departure;
  SocketAddress peer;
  std::uint32_t listener = 0;
  std::uint64_t body_due = 0;         // bytes of the last request's body that are still to come
  std::uint32_t to_shard = kNoShard;  // of this instance, or kNoShard: it leaves the process
};

// What an HttpStage needs beyond its shard. Implemented by the Shard.
class HttpHost {
 public:
  // The connection becomes a session of `dialect`; `opening` completes its handshake. `agreed`: how
  // messages are compressed, if they are.
  // `admitted`: who the client is.
  virtual void open_session(Connection& connection, DialectKind dialect, std::string opening,
                            const std::optional<ws::DeflateAgreement>& agreed,
                            const Admitted& admitted) noexcept = 0;
  // The stage is done with its connection, which has another stage or is gone: destroy it.
  virtual void on_http_done(Handle stage) noexcept = 0;
  // The connection left this shard, with all of its input that was not answered.
  virtual void on_http_left(Handle stage, HttpDeparture departed) noexcept = 0;
  virtual ws::AcceptKey& accept_key() noexcept = 0;
  virtual const InstanceView& instance() const noexcept = 0;
  virtual const AdmissionRules& admission_rules() const noexcept = 0;
  virtual AccessLog& access_log() noexcept = 0;
  // None: the instance has no API.
  virtual std::optional<ApiParts> api() noexcept = 0;

 protected:
  ~HttpHost() = default;
};

// Lives in its shard's table from accept to upgrade or end; the shard's thread only.
class HttpStage final : public Stage {
 public:
  // `listener` indexes the instance's listeners.
  HttpStage(ShardContext& shard, HttpHost& host, Connection& connection,
            const ListenerTraits& traits, std::uint32_t listener);
  ~HttpStage();

  void start(Handle self) noexcept;
  // The rest of a body that is to be skipped, of a request that was answered elsewhere.
  void expect_body(std::uint64_t size) noexcept { body_due_ = size; }
  // A connection that just came and for which there is no room: answers 503 with Retry-After and
  // closes.
  void turn_away(Refused reason) noexcept;
  // The instance stops. Whoever waits for an answer gets one.
  void close() noexcept;
  // The answer to what was asked of a channel's home.
  void on_answer(const ShardMessage& message) noexcept;
  bool is_upgraded() const noexcept { return upgraded_; }
  // Not counted among connections, because there was no room when it came.
  bool was_turned_away() const noexcept { return turned_away_; }
  const SocketAddress& peer() const noexcept { return connection_.peer(); }
  // Takes the connection to another shard, or out of the process; HttpHost::on_http_left brings it.
  void leave(std::uint32_t to_shard) noexcept;

 private:
  // Stage
  std::size_t on_bytes(Connection& connection, Bytes bytes) noexcept override;
  void on_eof(Connection& connection) noexcept override;
  void on_drained(Connection& connection) noexcept override;
  void on_end(Connection& connection, StreamEnd end) noexcept override;
  void on_released(Connection& connection, Departure departure) noexcept override;

  std::size_t skip_body(Bytes bytes) noexcept;
  // The client sends the body only if it is asked to. If it is not, what comes next may be the body
  // or another request (RFC 9110 10.1.1).
  static bool may_hold_back_body(const http::Request& request) noexcept;
  // http_stage_api.cc
  std::optional<ApiParts> api() const noexcept;
  std::uint64_t max_body() const noexcept;
  void begin_call(const http::Request& request, const ApiParts& api) noexcept;
  void refuse_call(const http::Request& request, int status, std::string_view text,
                   std::span<const http::Field> fields = {}) noexcept;
  std::size_t collect_body(Bytes bytes) noexcept;
  void make_call(std::string_view body) noexcept;
  void answer_call() noexcept;
  void give_up_call() noexcept;
  void keep(ConstBytes bytes) noexcept;
  void drop_head() noexcept;
  void answer(const http::Request& request) noexcept;
  void upgrade(const http::Request& request) noexcept;
  Admitted who_asks(const http::Request& request, DialectKind dialect) noexcept;
  void ask_history(const http::Request& request, const Asked& asked, bool keep_alive) noexcept;
  int respond(const Asked& asked, bool keep_alive, const ChatHistory* history) noexcept;
  void reject(int status, std::string_view text, Refused reason,
              std::span<const http::Field> fields = {}) noexcept;
  void log_request(const http::Request* request, int status, std::string_view outcome) noexcept;
  void say_unavailable(Refused reason) noexcept;
  void send(std::string_view response) noexcept;
  void on_timer() noexcept;

  ShardContext& shard_;
  HttpHost& host_;
  Connection& connection_;
  const ListenerTraits traits_;
  const std::uint32_t listener_;
  Handle self_;
  Timer timer_;
  http::RequestParser parser_;
  Bytes head_block_;
  std::size_t head_size_ = 0;
  std::uint64_t body_due_ = 0;
  // The request that waits for the home's answer, while input is paused. Its path is a constant.
  std::optional<Asked> pending_;
  bool pending_keep_alive_ = false;
  bool pending_since_ = false;
  std::uint32_t last_request_ = 0;
  // A request to the API: its body is collected behind its head, then its answer is awaited.
  struct Call {
    std::optional<api::Method> method;  // nothing: commands in lines
    bool keep_alive;
    bool transport_errors;
    std::uint64_t body_size;
    std::unique_ptr<ApiCall> made;  // once the body was there
  };
  std::unique_ptr<Call> call_;
  std::uint32_t to_shard_ = HttpDeparture::kNoShard;
  bool answered_ = false;  // at least one request
  bool turned_away_ = false;
  bool upgraded_ = false;
};

}  // namespace sluice
