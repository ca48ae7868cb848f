#include "gateway/instance.h"

#include <pthread.h>
#include <sched.h>

#include <latch>

#include "gateway/uuid.h"

namespace sluice {
namespace {

ExchangeLimits exchange_limits(const Limits& limits) noexcept {
  ExchangeLimits exchange;
  exchange.ring_capacity = limits.inbox_entries;
  return exchange;
}

void pin_this_thread(unsigned cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  // The list was checked against what this process may use; should that have changed, unpinned is
  // fine.
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

}  // namespace

Instance::Instance(const InstanceOptions& options, const Clock& clock, const Logger& log,
                   std::uint32_t shards)
    : options_(options),
      clock_(clock),
      started_(clock.now()),
      exchange_(shards, exchange_limits(options.limits)),
      connections_(options.connections_max, options.limits.max_connections_per_address),
      shared_{options_.limits,
              options_.namespaces,
              options_.compression,
              clock,
              log,
              exchange_,
              connections_,
              *this,
              {Random(options.seed).next(), Random(options.seed + 1).next()},
              Random(options.seed + 2).next() | 1,
              options.seed,
              options_.admission,
              options_.robot,
              options_.hooks,
              options_.storage},
      id_(make_uuid(Random(options.seed + 3).next(), Random(options.seed + 4).next())) {}

Result<std::unique_ptr<Instance>, std::string_view> Instance::create(
    const InstanceOptions& options, const Clock& clock, const Logger& log,
    std::vector<std::unique_ptr<Backend>> backends, StoredState stored) {
  auto instance = std::unique_ptr<Instance>(
      new Instance(options, clock, log, static_cast<std::uint32_t>(backends.size())));
  if (options.storage != nullptr) {
    options.storage->serve(static_cast<std::uint32_t>(backends.size()),
                           [self = instance.get()](std::uint32_t shard) {
                             if (self->exchange_.doorbell(shard).ring()) {
                               self->shards_[shard]->wake();
                             }
                           });
  }
  for (std::uint32_t index = 0; index < backends.size(); ++index) {
    auto accept_key = ws::AcceptKey::create();
    if (!accept_key) return fail(accept_key.error());
    std::optional<token::Verifier> tokens;
    if (!options.token_keys.empty()) {
      auto made = token::Verifier::create(options.token_keys, options.token_expectations);
      if (!made) return fail(made.error());
      tokens = std::move(*made);
    }
    auto& shard = instance->shards_.emplace_back(
        std::make_unique<Shard>(instance->shared_, index, std::move(backends[index]),
                                std::move(*accept_key), std::move(tokens)));
    if (options.hooks) {
      auto signer = hooks::Signer::create(options.hooks->secrets);
      if (!signer) return fail(signer.error());
      shard->use_hooks(std::move(*signer));
    }
    if (options.api_keys.empty()) continue;
    auto desk = ApiDesk::create(instance->options_.api, options.api_keys,
                                instance->shared_.exchange.shards());
    if (!desk) return fail(desk.error());
    shard->serve_api(std::move(*desk));
  }
  for (auto& shard : instance->shards_) {
    shard->set_wake([self = instance.get()](std::uint32_t to) { self->shards_[to]->wake(); });
  }
  instance->hand_out(std::move(stored));
  return instance;
}

// To each shard the channels whose home it is now: their number may have been another.
void Instance::hand_out(StoredState stored) {
  std::vector<StoredState> parts(shards_.size());
  const auto part_of = [&](std::string_view channel) -> StoredState& {
    return parts[ChannelName::of(shared_.hash_key, channel).home(shard_count())];
  };
  for (StoredChannel& channel : stored.channels) {
    part_of(channel.name).channels.push_back(std::move(channel));
  }
  for (StoredId& id : stored.ids) {
    part_of(RecentIds::channel_of(id.key)).ids.push_back(std::move(id));
  }
  // With as many shards as before, those of one connection or channel stay in their order.
  for (StoredEvent& event : stored.events) {
    parts[shard_of_number(event.number) % shards_.size()].events.push_back(std::move(event));
  }
  for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->restore(std::move(parts[i]));
}

Instance::~Instance() {
  join();
  if (options_.storage != nullptr) options_.storage->stop();  // it would wake us
}

void Instance::listen(const std::vector<int>& descriptors, const ListenerTraits& traits) {
  SLUICE_CHECK(descriptors.size() == shards_.size());
  for (std::uint32_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->add_listener(descriptors[i], listeners_, traits);
  }
  ++listeners_;
}

std::error_code Instance::start(const std::vector<unsigned>& pins) {
  std::latch attached(static_cast<std::ptrdiff_t>(shards_.size()));
  std::vector<std::error_code> errors(shards_.size());
  running_.store(shard_count(), std::memory_order_release);
  for (std::uint32_t i = 0; i < shards_.size(); ++i) {
    threads_.emplace_back([this, i, &pins, &attached, &errors] {
      if (!pins.empty()) pin_this_thread(pins[i]);
      const std::string name = "shard-" + std::to_string(i);
      pthread_setname_np(pthread_self(), name.c_str());
      const std::error_code error = shards_[i]->attach();
      errors[i] = error;
      attached.count_down();  // what the starting thread owns must not be touched from here on
      shards_[i]->run();
      running_.fetch_sub(1, std::memory_order_release);
    });
  }
  attached.wait();
  for (const std::error_code& error : errors) {
    if (error) return error;
  }
  return {};
}

void Instance::stop(Duration timeout) noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  ShardMessage message;
  message.kind = ShardMessage::Kind::kStop;
  message.number = static_cast<std::uint64_t>((clock_.now() + timeout).time_since_epoch().count());
  for (std::uint32_t i = 0; i < shards_.size(); ++i) {
    const auto wake = [this](std::uint32_t shard) { shards_[shard]->wake(); };
    // Nothing else is posted from outside, so there is room, except for a stop that is there
    // already.
    if (!exchange_.post_foreign(i, message, wake)) shards_[i]->wake();
  }
}

void Instance::join() noexcept {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Instance::finish() noexcept {
  if (options_.storage == nullptr) return;
  for (const auto& shard : shards_) shard->leave_thread();
  for (bool is_busy = true; is_busy;) {
    is_busy = false;
    for (const auto& shard : shards_) is_busy |= shard->finish_turn();
  }
  for (const auto& shard : shards_) shard->close_journal();
}

Restored Instance::restored() const noexcept {
  Restored all;
  for (const auto& shard : shards_) {
    const Restored& part = shard->restored();
    all.channels += part.channels;
    all.publications += part.publications;
    all.left_out += part.left_out;
    all.events += part.events;
  }
  return all;
}

std::optional<std::uint32_t> Instance::shard_with_room(std::uint32_t but) const noexcept {
  const std::size_t part = share(options_.connections_max, shards_.size());
  for (std::uint32_t i = 0; i < shards_.size(); ++i) {
    const auto used = shards_[i]->reactor().counters().connections.value();
    if (i != but && static_cast<std::size_t>(used) < part) return i;
  }
  return std::nullopt;
}

}  // namespace sluice
