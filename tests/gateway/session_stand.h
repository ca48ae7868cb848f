// As much of a shard as sessions need, on a simulated network: for tests of what only real Sessions
// can show, without HTTP in front of them.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <utility>

#include "core/sim/sim_backend.h"
#include "core/sim/sim_network.h"
#include "gateway/dialect.h"
#include "gateway/memory_broker.h"
#include "gateway/router.h"
#include "gateway/session.h"
#include "tests/silent_sink.h"

namespace sluice::test {

// Whoever derives from it says in on_accept what a connection becomes, brings the dialects, and
// resets `backend_` before what it owns itself ends.
class SessionStand : public testing::Test,
                     protected ReactorHost,
                     protected RouterHost,
                     protected SessionKeeper {
 protected:
  SessionStand() {
    reactor_.attach();
    EXPECT_TRUE(backend_->listen(network_.open_listener(kAddress)).has_value());
  }

  // The dialect of all sessions, whatever their kind.
  void speak(Dialect& dialect) { dialects_.fill(&dialect); }
  Session& start_session(Connection& connection, SessionState state) {
    const Handle self = sessions_.allocate(context_, connection, std::move(state));
    Session& session = *sessions_.get(self);
    session.start(self);
    return session;
  }
  // Turns once, and lets `time` pass.
  void turn(Duration time) {
    network_.run_due();
    reactor_.turn(Duration::zero());
    network_.clock().advance(time);
  }

  // ReactorHost
  void on_accept_paused(Handle, std::error_code) noexcept override {}
  void on_inboxes() noexcept override { router_.settle(); }
  void on_turn_end() noexcept override { router_.on_turn_end(); }
  bool prepare_sleep() noexcept override { return false; }
  void on_awake() noexcept override {}
  // SessionKeeper
  void on_session_ended(Handle session) noexcept override { sessions_.free(session); }
  void on_session_frozen(Handle, FrozenSession) noexcept override { FAIL(); }

  static inline const SocketAddress kAddress = SocketAddress::ipv4(0x7f000001, 9999);

  SimNetwork network_;
  Limits limits_;
  std::unique_ptr<SimBackend> backend_ = std::make_unique<SimBackend>(network_);
  ShardCounters counters_;
  Reactor reactor_{*backend_,
                   network_.clock(),
                   {limits_.write_timeout, limits_.close_timeout, 1 << 20, limits_.write_queue / 2,
                    limits_.write_queue / 16},
                   0,
                   *this};
  Exchange<ShardMessage> exchange_{1};
  MemoryBroker broker_{1};
  Slab<Session, 64> sessions_;
  Namespaces namespaces_;
  Router router_{
      {0, {1, 2}, limits_, namespaces_, exchange_, reactor_, sessions_, broker_, counters_, *this}};
  Shedder shedder_{reactor_, sessions_, counters_, limits_.write_queues_total};
  ws::ReaderContext reader_context_{ws::Role::kServer, {}, Simd::detect(), &reactor_.blocks()};

 private:
  SilentSink sink_;
  Logger log_{network_.clock(), sink_, LogLevel::kError, LogFormat::kText};
  Random random_{1};
  std::array<Dialect*, kDialectCount> dialects_{};
  Compression settings_;
  ShardCompression compression_{settings_, reactor_.blocks(), reactor_.payloads(), counters_};

 protected:
  ShardContext context_{0,         limits_, reactor_, router_,         shedder_,  compression_,
                        counters_, log_,    random_,  reader_context_, dialects_, *this,
                        nullptr};
};

}  // namespace sluice::test
