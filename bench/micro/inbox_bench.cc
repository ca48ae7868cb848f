// What it costs to hand a message to another shard, per message, by how many leave in one turn.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "core/inbox.h"

namespace sluice {
namespace {

struct Message {
  std::uint64_t words[8] = {};
};
static_assert(sizeof(Message) == 64);

// Both ends on one thread: the instructions, without the caches' traffic between cores.
void inbox_post_flush_drain(benchmark::State& state) {
  const auto batch = static_cast<std::uint64_t>(state.range(0));
  Exchange<Message> exchange(2);
  std::uint64_t sum = 0;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < batch; ++i) exchange.post(0, 1, {{i}});
    exchange.flush(0, [](std::uint32_t) {});
    exchange.drain(1, batch, [&](std::uint32_t, Message& message) { sum += message.words[0]; });
    exchange.flush(1, [](std::uint32_t) {});
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(inbox_post_flush_drain)->Arg(1)->Arg(8)->Arg(64);

// The same with the ring always full, so that every message goes aside first.
void inbox_post_through_aside(benchmark::State& state) {
  const auto batch = static_cast<std::uint64_t>(state.range(0));
  Exchange<Message> exchange(2, {.ring_capacity = 16});
  std::uint64_t left = 0;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < batch; ++i) exchange.post(0, 1, {{i}});
    left += batch;
    while (left > 0) {
      exchange.flush(0, [](std::uint32_t) {});
      left -= exchange.drain(1, batch, [](std::uint32_t, Message&) {});
      exchange.flush(1, [](std::uint32_t) {});
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(inbox_post_through_aside)->Arg(64);

// A turn in which no other shard had anything to say.
void inbox_empty_drain(benchmark::State& state) {
  Exchange<Message> exchange(static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(exchange.drain(0, 1024, [](std::uint32_t, Message&) {}));
    exchange.flush(0, [](std::uint32_t) {});
  }
}
BENCHMARK(inbox_empty_drain)->Arg(2)->Arg(16)->Arg(64);

void doorbell_ring_awake(benchmark::State& state) {
  Doorbell bell;
  for (auto _ : state) benchmark::DoNotOptimize(bell.ring());
}
BENCHMARK(doorbell_ring_awake);

}  // namespace
}  // namespace sluice
