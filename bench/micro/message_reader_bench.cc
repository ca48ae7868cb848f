// A segment full of masked messages, as a busy client sends them; per message.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "proto/ws/client.h"
#include "proto/ws/message_reader.h"

namespace {

using sluice::Bytes;
using sluice::ws::EventKind;
using sluice::ws::Opcode;

constexpr std::size_t kMessages = 64;

// Complete messages must not reach it.
class NoBuffers final : public sluice::BufferSource {
 public:
  Bytes take(std::size_t) noexcept override {
    SLUICE_CHECK(false);  // a complete message needs no block
    return {};
  }
  void give(Bytes) noexcept override {}
};

void read_messages(benchmark::State& state, Opcode opcode, const std::string& payload) {
  NoBuffers buffers;
  const sluice::ws::ReaderContext context{
      sluice::ws::Role::kServer, {}, sluice::Simd::detect(), &buffers};
  // A mask of zeros leaves the segment as it is, so one serves all rounds.
  std::vector<std::byte> segment;
  for (std::size_t i = 0; i < kMessages; ++i) {
    sluice::ws::append_masked_frame(segment, context.simd, opcode, true, sluice::as_bytes(payload),
                                    0);
  }
  sluice::ws::MessageReader reader(context);
  for (auto _ : state) {
    Bytes input = segment;
    std::size_t messages = 0;
    while (reader.next(input).kind != EventKind::kNone) ++messages;
    SLUICE_CHECK(messages == kMessages);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMessages));
}

void read_binary(benchmark::State& state) {
  read_messages(state, Opcode::kBinary, std::string(static_cast<std::size_t>(state.range(0)), 'a'));
}
BENCHMARK(read_binary)->Arg(13)->Arg(125)->Arg(512)->Arg(4096);

void read_ascii_text(benchmark::State& state) {
  read_messages(state, Opcode::kText, std::string(static_cast<std::size_t>(state.range(0)), 'a'));
}
BENCHMARK(read_ascii_text)->Arg(13)->Arg(125)->Arg(512)->Arg(4096);

void read_mixed_text(benchmark::State& state) {
  std::string text;
  while (text.size() + 3 <= static_cast<std::size_t>(state.range(0))) text += "\xe4\xbd\xa0";
  read_messages(state, Opcode::kText, text);
}
BENCHMARK(read_mixed_text)->Arg(13)->Arg(125)->Arg(512)->Arg(4096);

}  // namespace
