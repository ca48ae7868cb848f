// One thread's worth of gateway: a Reactor and everything that lives on it.
//
// The Shard composes; it decides little. It owns the parts, hands each what it needs, and turns
// them in the Reactor's rhythm. It runs on a thread (`run`), or is stepped by a simulation, which
// takes the halves of a turn one by one.
//
// Invariants
//   1. Everything a shard owns is touched on its thread only, except counters and `wake`.
//   2. Parts are destroyed after the Backend: the kernel may use their memory until then. Only HTTP
//      clients go first, because they take their descriptors out of the Backend.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/backend.h"
#include "core/inbox.h"
#include "core/reactor.h"
#include "core/slab.h"
#include "gateway/access_log.h"
#include "gateway/admission.h"
#include "gateway/api/api_desk.h"
#include "gateway/dialects/centrifuge.h"
#include "gateway/dialects/dialects.h"
#include "gateway/hooks/shard_hooks.h"
#include "gateway/http_stage.h"
#include "gateway/memory_broker.h"
#include "gateway/robot/robot.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "gateway/shard_compression.h"
#include "gateway/shard_context.h"
#include "gateway/shedder.h"
#include "proto/token/jwt.h"
#include "proto/ws/handshake.h"

namespace sluice {

// Connections per shard beyond all limits that may linger over their 503, so that it is not lost to
// a reset; further ones are cut. Descriptors are set aside for them.
inline constexpr std::size_t kTurnedAwayMax = 8;

// What the shards of an instance share. Outlives them; immutable but for what is thread-safe
// itself.
struct InstanceShared {
  const Limits& limits;
  const Namespaces& namespaces;
  const Compression& compression;
  const Clock& clock;
  const Logger& log;
  Exchange<ShardMessage>& exchange;
  ConnectionCounts& connections;
  const InstanceView& view;
  HashKey hash_key;
  std::uint64_t epoch;  // not 0
  std::uint64_t seed;
  const AdmissionRules& admission;
  const std::optional<RobotSetup>& robot;
  const std::optional<HookSetup>& hooks;
  Storage* storage;  // null: nothing outlives the process
};

// Owned by an Instance.
class Shard final : private ReactorHost,
                    private RouterHost,
                    private HttpHost,
                    private HookAsker,
                    private ChannelWatcher,
                    private SessionKeeper {
 public:
  // `tokens`: verifies those of clients; nothing if no key is known.
  Shard(const InstanceShared& shared, std::uint32_t index, std::unique_ptr<Backend> backend,
        ws::AcceptKey accept_key, std::optional<token::Verifier> tokens);
  ~Shard();

  // Adds a listening descriptor, before `attach`.
  void add_listener(int descriptor, std::uint32_t listener, const ListenerTraits& traits);
  // Before `attach`.
  void serve_api(ApiDesk desk) { api_.emplace(std::move(desk)); }
  // Asks and tells the application server; before `attach`. REQUIRES: the instance has hooks.
  void use_hooks(hooks::Signer signer);
  // What was stored of the channels whose home is here; taken in by `attach`.
  void restore(StoredState stored) { stored_ = std::move(stored); }
  const Restored& restored() const noexcept { return restored_; }
  // The thread that has turned it has ended: the next caller's takes its place.
  void leave_thread() noexcept { reactor_.blocks().release_thread(); }
  // The threads of all shards have ended; one thread turns what is left between them. True if there
  // was something.
  bool finish_turn() noexcept;
  // Hands the storage what is kept, for the last time.
  void close_journal() noexcept { router_.close_journal(); }
  // Who can wake this shard's siblings; before `attach`.
  void set_wake(std::function<void(std::uint32_t)> wake) { wake_ = std::move(wake); }

  // On the thread that will turn the shard. An error is a listener that cannot be used.
  std::error_code attach() noexcept;
  // Turns until a stop is complete.
  void run() noexcept;
  void turn(Duration longest) noexcept { reactor_.turn(longest); }
  // The halves of a turn of `run`: Reactor::fall_asleep and wake_up.
  Duration fall_asleep() noexcept;
  void wake_up(Duration longest) noexcept { reactor_.wake_up(longest); }
  Duration until_work() noexcept;
  bool has_stopped() const noexcept { return stopped_; }
  // Any thread.
  void wake() noexcept { backend_->wake(); }

  // Takes all connections out of this shard; each is handed to one of the two.
  struct Emigrants {
    std::vector<FrozenSession> sessions;
    std::vector<HttpDeparture> http;
  };
  void freeze_all() noexcept;
  Emigrants take_emigrants() noexcept { return std::exchange(emigrants_, {}); }
  // Takes in a session that left another process. Limits of connections do not apply: it had been
  // admitted. False: its state cannot be read, or descriptors are short; its connection is closed.
  bool thaw(const FrozenSession& frozen) noexcept;
  // The same for a connection that speaks HTTP; its count (ConnectionCounts) is the caller's.
  bool settle_http(const HttpDeparture& departed) noexcept;

  const ShardCounters& counters() const noexcept { return counters_; }
  const Reactor& reactor() const noexcept { return reactor_; }
  const Backend& backend() const noexcept { return *backend_; }
  const BlockPoolCounters& block_counters() const noexcept { return reactor_.block_counters(); }
  std::size_t connection_count() const noexcept { return reactor_.connection_count(); }

 private:
  struct Listener {
    int descriptor;
    std::uint32_t index;
    ListenerTraits traits;
    Handle handle;
  };

  // ReactorHost
  void on_accept(Handle listener, Connection& connection) noexcept override;
  void on_accept_paused(Handle listener, std::error_code error) noexcept override;
  void on_inboxes() noexcept override;
  void on_turn_end() noexcept override;
  bool prepare_sleep() noexcept override;
  void on_awake() noexcept override;
  // RouterHost
  void on_shard_message(std::uint32_t from, const ShardMessage& message) noexcept override;
  // HttpHost
  void open_session(Connection& connection, DialectKind dialect, std::string opening,
                    const std::optional<ws::DeflateAgreement>& agreed,
                    const Admitted& admitted) noexcept override;
  void on_http_done(Handle stage) noexcept override;
  void on_http_left(Handle stage, HttpDeparture departed) noexcept override;
  ws::AcceptKey& accept_key() noexcept override { return accept_key_; }
  const InstanceView& instance() const noexcept override { return shared_.view; }
  const AdmissionRules& admission_rules() const noexcept override { return shared_.admission; }
  AccessLog& access_log() noexcept override { return access_log_; }
  std::optional<ApiParts> api() noexcept override;
  // HookAsker
  bool waits_for_hook(Handle session, std::uint32_t number) noexcept override;
  void on_hook_reply(Handle session, std::uint32_t number,
                     std::optional<std::string_view> body) noexcept override;
  // ChannelWatcher
  void on_channel(ChannelName name, bool is_occupied) noexcept override;
  // SessionKeeper
  void on_session_ended(Handle session) noexcept override;
  void on_session_frozen(Handle session, FrozenSession frozen) noexcept override;

  const Listener& listener_of(Handle handle) const noexcept;
  HttpStage& open_http(Connection& connection, const Listener& listener) noexcept;
  void hand_over(const HttpDeparture& departed) noexcept;
  void take_over(const ShardMessage& message) noexcept;
  void resume_accept() noexcept;
  void uncount(const HttpStage& gone) noexcept;
  void begin_stop(Time deadline) noexcept;
  void check_stop() noexcept;
  // The last connection ended behind this turn's check_stop.
  bool is_stop_due() const noexcept {
    return stop_deadline_ && connection_count() == 0 && (events_ == nullptr || events_->is_empty());
  }
  void leave_count(const SocketAddress& peer) noexcept { shared_.connections.leave(peer); }

  const InstanceShared& shared_;
  const std::uint32_t index_;
  std::unique_ptr<Backend> backend_;
  ShardCounters counters_;
  Reactor reactor_;
  MemoryBroker broker_;
  std::optional<Journal> journal_;
  ShardCompression compression_;  // outlives sessions
  Slab<Session, 64> sessions_;
  Slab<HttpStage, 16> http_;
  Router router_;
  Shedder shedder_;
  Random random_;
  ws::AcceptKey accept_key_;
  ws::ReaderContext reader_context_;
  EchoDialect echo_;
  ChatDialect chat_;
  RelayDialect relay_;
  CentrifugeDialect centrifuge_;
  std::array<Dialect*, kDialectCount> dialects_;
  std::unique_ptr<HttpClient> robot_client_;  // null without a robot
  std::optional<Robot> robot_;
  std::optional<ShardHooks> hooks_;  // none: there are no hooks
  EventOutbox* events_ = nullptr;    // null: nobody wants to know
  std::optional<token::Verifier> tokens_;
  ShardContext context_;
  AccessLog access_log_;
  std::optional<ApiDesk> api_;  // none: there is no API
  LogLimit warning_limit_;
  StoredState stored_;  // until `attach`
  Restored restored_;
  std::vector<Listener> listeners_;
  std::function<void(std::uint32_t)> wake_;
  Timer accept_timer_;
  Timer stop_timer_;
  Emigrants emigrants_;
  std::uint32_t next_shard_ = 0;  // to serve a connection of a socket that all share
  std::size_t turned_away_ = 0;   // connections that got their 503 and have not ended yet
  std::optional<Time> stop_deadline_;
  bool is_accept_short_ = false;  // descriptors were short when we last tried to accept
  bool aborting_ = false;
  bool stopped_ = false;
};

}  // namespace sluice
