// Validation of whole texts, and of the same text in pieces that cut characters.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "proto/ws/utf8.h"

namespace {

std::string make_text(std::size_t size, bool ascii) {
  std::string text;
  while (text.size() < size) text += ascii ? "a" : "\xe4\xbd\xa0 ok ";
  return text;
}

void validate_whole(benchmark::State& state) {
  const std::string text = make_text(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(sluice::ws::is_valid_utf8(sluice::as_bytes(text)));
  }
  state.SetLabel(state.range(1) != 0 ? "ascii" : "mixed");
}
BENCHMARK(validate_whole)->ArgsProduct({{16, 32, 64, 125, 512, 4096}, {0, 1}});

void validate_pieces(benchmark::State& state) {
  const std::string text = make_text(4096, false);
  const auto piece = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    sluice::ws::Utf8Validator validator;
    for (sluice::ConstBytes rest = sluice::as_bytes(text); !rest.empty();) {
      const std::size_t size = std::min(piece, rest.size());
      benchmark::DoNotOptimize(validator.feed(rest.first(size)));
      rest = rest.subspan(size);
    }
  }
}
BENCHMARK(validate_pieces)->Arg(1)->Arg(100)->Arg(1460);

}  // namespace
