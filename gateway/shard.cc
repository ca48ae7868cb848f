#include "gateway/shard.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/base/check.h"

namespace sluice {
namespace {

// A shortage of descriptors is looked at again this often: seldom enough to cost nothing.
constexpr Duration kAcceptRetry = std::chrono::milliseconds(100);
// As much as frees a good part of a full socket's buffer at a time.
constexpr std::size_t kWaitBytesMax = 64 * kKiB;
// Warnings that peers can cause.
constexpr std::uint32_t kWarningsPerSecond = 1;
constexpr std::uint32_t kWarningsAtOnce = 10;
// A shard that has nothing to do looks around this often.
constexpr Duration kLongestWait = std::chrono::seconds(10);

ReactorLimits reactor_limits(const Limits& limits) noexcept {
  return {limits.write_timeout, limits.close_timeout,
          static_cast<std::uint32_t>(limits.linger_bytes), limits.write_queue / 2,
          std::min(kWaitBytesMax, limits.write_queue / 16)};
}

// Apart from those of other shards, and of other starts of the instance: by chance, unless the disk
// knows which there have been.
std::uint64_t first_epoch(const InstanceShared& shared, std::uint32_t shard) noexcept {
  if (const Storage* storage = shared.storage) {
    return first_epoch_of(storage->salt(), storage->generation(), shard);
  }
  return Random(shared.epoch + shard).next() | 1;
}

std::optional<Journal> make_journal(const InstanceShared& shared, std::uint32_t shard) {
  if (shared.storage == nullptr) return std::nullopt;
  return Journal(*shared.storage, shard, share(shared.limits.data_queue, shared.exchange.shards()),
                 shared.clock);
}

}  // namespace

Shard::Shard(const InstanceShared& shared, std::uint32_t index, std::unique_ptr<Backend> backend,
             ws::AcceptKey accept_key, std::optional<token::Verifier> tokens)
    : shared_(shared),
      index_(index),
      backend_(std::move(backend)),
      reactor_(*backend_, shared.clock, reactor_limits(shared.limits),
               static_cast<std::uint16_t>(index), *this),
      broker_(first_epoch(shared, index)),
      journal_(make_journal(shared, index)),
      compression_(shared.compression, reactor_.blocks(), reactor_.payloads(), counters_),
      router_({index, shared.hash_key, shared.limits, shared.namespaces, shared.exchange, reactor_,
               sessions_, broker_, counters_, *this, journal_ ? &*journal_ : nullptr}),
      shedder_(reactor_, sessions_, counters_,
               share(shared.limits.write_queues_total, shared.exchange.shards())),
      random_(shared.seed + index),
      accept_key_(std::move(accept_key)),
      reader_context_{ws::Role::kServer,
                      {static_cast<std::uint32_t>(shared.limits.max_message),
                       static_cast<std::uint32_t>(shared.limits.max_fragments)},
                      Simd::detect(),
                      &reactor_.blocks(),
                      &compression_.inflators()},
      relay_(reactor_.payloads()),
      centrifuge_(reactor_.payloads()),
      dialects_{&echo_, &chat_, &relay_, &centrifuge_},
      tokens_(std::move(tokens)),
      context_{index,     shared.limits,
               reactor_,  router_,
               shedder_,  compression_,
               counters_, shared.log,
               random_,   reader_context_,
               dialects_, *this,
               nullptr,   tokens_ ? &*tokens_ : nullptr},
      access_log_(shared.log, reactor_.timers(), counters_.requests_held_back, index,
                  access_lines_of(index, shared.exchange.shards(), shared.limits.access_lines)),
      warning_limit_(kWarningsPerSecond, kWarningsAtOnce),
      accept_timer_([](void* owner, Time) noexcept { static_cast<Shard*>(owner)->resume_accept(); },
                    this),
      stop_timer_([](void*, Time) noexcept {}, this) {
  if (!shared.robot) return;
  robot_client_ = shared.robot->client(reactor_);
  robot_.emplace(shared.robot->name, shared.limits, *robot_client_, reactor_, router_, counters_);
  context_.robot = &*robot_;
}

std::optional<ApiParts> Shard::api() noexcept {
  if (!api_) return std::nullopt;
  return ApiParts{*api_,     router_,      shared_.namespaces,        shared_.limits,
                  counters_, shared_.view, shared_.exchange.shards(), journal_.has_value()};
}

Shard::~Shard() {
  robot_client_.reset();
  hooks_.reset();
  backend_.reset();
  reactor_.blocks().release_thread();
}

void Shard::add_listener(int descriptor, std::uint32_t listener, const ListenerTraits& traits) {
  listeners_.push_back({descriptor, listener, traits, {}});
}

std::error_code Shard::attach() noexcept {
  reactor_.attach();
  if (journal_) {
    const StoredState stored = std::exchange(stored_, {});
    router_.restore(stored, restored_);
    restored_.events += stored.events.size();
    // Without the hook they stay where they are, for a start with it.
    if (events_ != nullptr) events_->restore(stored.events);
  }
  for (Listener& listener : listeners_) {
    const auto handle = backend_->listen(listener.descriptor);
    if (!handle) return handle.error();
    listener.handle = *handle;
  }
  return {};
}

void Shard::run() noexcept {
  while (!stopped_) wake_up(fall_asleep());
}

Duration Shard::fall_asleep() noexcept { return reactor_.fall_asleep(kLongestWait); }

Duration Shard::until_work() noexcept {
  if (router_.has_work() || router_.has_news() || shared_.exchange.has_work(index_)) {
    return Duration::zero();
  }
  return reactor_.until_work();
}

const Shard::Listener& Shard::listener_of(Handle handle) const noexcept {
  for (const Listener& listener : listeners_) {
    if (listener.handle == handle) return listener;
  }
  SLUICE_CHECK(false);
}

HttpStage& Shard::open_http(Connection& connection, const Listener& listener) noexcept {
  const Handle self = http_.allocate(context_, static_cast<HttpHost&>(*this), connection,
                                     listener.traits, listener.index);
  HttpStage& stage = *http_.get(self);
  stage.start(self);
  return stage;
}

void Shard::on_accept(Handle handle, Connection& connection) noexcept {
  counters_.accepted.add();
  if (std::exchange(is_accept_short_, false)) {
    shared_.log.info("accepting again", {{"shard", index_}});
  }
  const Listener& listener = listener_of(handle);
  HttpStage& stage = open_http(connection, listener);
  const auto outcome = shared_.connections.enter(connection.peer());
  if (outcome != ConnectionCounts::Outcome::kCounted) {
    // Not counted, or those turned away would keep others out for as long as they linger.
    stage.turn_away(outcome == ConnectionCounts::Outcome::kTotalReached ? Refused::kConnections
                                                                        : Refused::kPerAddress);
    if (++turned_away_ > kTurnedAwayMax) connection.abort();
    return;
  }
  if (listener.traits.is_one_socket) {
    const std::uint32_t shard = next_shard_++ % shared_.exchange.shards();
    if (shard != index_) stage.leave(shard);
    return;
  }
  // The kernel spreads connections by a hash, not by room: beyond our part another shard may serve.
  const std::size_t total_max = shared_.connections.total_max();
  if (total_max == 0 ||
      reactor_.connection_count() <= share(total_max, shared_.exchange.shards())) {
    return;
  }
  if (const auto shard = shared_.view.shard_with_room(index_)) stage.leave(*shard);
}

void Shard::on_accept_paused(Handle, std::error_code error) noexcept {
  counters_.accept_pauses.add();
  // It is tried again many times: only the change is news. Peers that come and go can cause many.
  if (!is_accept_short_) {
    if (const auto held_back = warning_limit_.admit(reactor_.now())) {
      is_accept_short_ = true;
      shared_.log.warn("accepting paused", {{"shard", index_},
                                            {"error", error.message()},
                                            {"remedy", "raise the limit of open files"},
                                            {"held_back", *held_back}});
    }
  }
  reactor_.timers().arm_by(accept_timer_, reactor_.now() + kAcceptRetry);
}

void Shard::resume_accept() noexcept {
  if (stop_deadline_) return;
  for (const Listener& listener : listeners_) backend_->resume_accept(listener.handle);
}

void Shard::on_inboxes() noexcept {
  router_.take_inbox();
  router_.settle();
}

void Shard::on_turn_end() noexcept {
  router_.on_turn_end();
  shared_.exchange.flush(index_, wake_);
  access_log_.flush();
  if (stop_deadline_) check_stop();
}

bool Shard::prepare_sleep() noexcept {
  if (router_.has_work() || stopped_ || is_stop_due()) return false;
  return shared_.exchange.doorbell(index_).prepare_sleep(
      [this] { return shared_.exchange.has_work(index_) || router_.has_news(); });
}

void Shard::on_awake() noexcept { shared_.exchange.doorbell(index_).awake(); }

void Shard::open_session(Connection& connection, DialectKind dialect, std::string opening,
                         const std::optional<ws::DeflateAgreement>& agreed,
                         const Admitted& admitted) noexcept {
  SessionState state = agreed ? SessionState(dialect, reader_context_, *agreed)
                              : SessionState(dialect, reader_context_);
  state.opening = std::make_unique<std::string>(std::move(opening));
  if (state.centrifuge) state.centrifuge->is_trusted = admitted.is_trusted;
  if (!admitted.user_channel.empty()) {
    state.identity = std::make_unique<std::string>(admitted.user_channel);
  }
  if (!admitted.passed_on.empty()) {
    state.passed_on = std::make_unique<std::string>(admitted.passed_on);
  }
  const Handle self = sessions_.allocate(context_, connection, std::move(state));
  sessions_.get(self)->start(self);
}

void Shard::on_session_ended(Handle session) noexcept {
  leave_count(sessions_.get(session)->peer());
  sessions_.free(session);
}

void Shard::on_http_done(Handle stage) noexcept {
  uncount(*http_.get(stage));
  http_.free(stage);
}

// A connection that became a session stays counted as long as that lives.
void Shard::uncount(const HttpStage& gone) noexcept {
  if (gone.was_turned_away()) {
    --turned_away_;
  } else if (!gone.is_upgraded()) {
    leave_count(gone.peer());
  }
}

}  // namespace sluice
