// Unmasking per level of instructions and size, from an unaligned start as in real frames.
#include <benchmark/benchmark.h>

#include <vector>

#include "proto/ws/unmask.h"

namespace {

void unmask(benchmark::State& state) {
  const auto level = static_cast<sluice::SimdLevel>(state.range(0));
  if (!sluice::Simd::supports(level)) return state.SkipWithError("not on this machine");
  const sluice::Simd simd = sluice::Simd::of(level);
  const auto size = static_cast<std::size_t>(state.range(1));
  std::vector<std::byte> memory(size + 6);
  const sluice::Bytes data = sluice::Bytes(memory).subspan(6);
  for (auto _ : state) {
    benchmark::DoNotOptimize(sluice::ws::unmask(simd, data, 0x12345678));
    benchmark::ClobberMemory();
  }
  state.SetLabel(std::string(name_of(level)));
  state.SetBytesProcessed(state.iterations() * state.range(1));
}
BENCHMARK(unmask)->ArgsProduct({{0, 1, 2, 3}, {13, 60, 125, 204, 512, 4096, 65536}});

}  // namespace
