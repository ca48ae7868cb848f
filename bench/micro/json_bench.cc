// The price of reading one client message, ours beside simdjson's two front ends. The figures in
// proto/json/scan.h come from here: micro_bench --benchmark_filter=Json
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "proto/dialect/chat.h"
#include "proto/dialect/client_list.h"
#include "proto/dialect/relay.h"
#include "proto/json/scan.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 2> kNames = {"msg_type", "nickname"};

// A chat message of exactly `size` bytes, in the shape that the clients send.
std::string chat_message(std::size_t size) {
  std::string head = R"({"msg_type":"message","nickname":"unknown","message":")";
  const std::string_view tail = R"(","cur_time":"2024-05-01 12:30:45"})";
  while (head.size() + tail.size() + 3 <= size) head += "你";
  head.append(size - head.size() - tail.size(), '.');
  return head.append(tail);
}

void BM_JsonScan(benchmark::State& state) {
  const std::string text = chat_message(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    std::array<json::Member, kNames.size()> members;
    auto scanned = json::scan(text, kNames, members);
    benchmark::DoNotOptimize(scanned);
    benchmark::DoNotOptimize(members);
  }
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}
BENCHMARK(BM_JsonScan)->Arg(128)->Arg(1024);

// Visits every value, as On-Demand needs it to check them; numbers by their first byte only, so a
// real use of it would still have to check their grammar on top.
bool visit(simdjson::ondemand::value value) {
  using simdjson::ondemand::json_type;
  simdjson::ondemand::json_type type;
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case json_type::object:
      for (auto field : value.get_object()) {
        simdjson::ondemand::value inner;
        if (field.value().get(inner) != simdjson::SUCCESS || !visit(inner)) return false;
      }
      return true;
    case json_type::array:
      for (auto element : value.get_array()) {
        simdjson::ondemand::value inner;
        if (element.get(inner) != simdjson::SUCCESS || !visit(inner)) return false;
      }
      return true;
    case json_type::string: {
      std::string_view text;
      return value.get_string().get(text) == simdjson::SUCCESS;
    }
    case json_type::number:
      return !value.raw_json_token().empty();
    case json_type::boolean: {
      bool boolean = false;
      return value.get_bool().get(boolean) == simdjson::SUCCESS;
    }
    case json_type::null:
      return value.is_null();
  }
  return false;
}

void BM_JsonOnDemandVisitAll(benchmark::State& state) {
  const simdjson::padded_string text(chat_message(static_cast<std::size_t>(state.range(0))));
  simdjson::ondemand::parser parser;
  for (auto _ : state) {
    std::array<std::string_view, kNames.size()> members;
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    bool is_valid = parser.iterate(text).get(document) == simdjson::SUCCESS &&
                    document.get_object().get(object) == simdjson::SUCCESS;
    if (!is_valid) state.SkipWithError("refused");
    for (auto field : object) {
      std::string_view name;
      simdjson::ondemand::value value;
      is_valid = is_valid && field.unescaped_key().get(name) == simdjson::SUCCESS &&
                 field.value().get(value) == simdjson::SUCCESS;
      if (!is_valid) break;
      for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (name == kNames[i]) members[i] = value.raw_json_token();
      }
      is_valid = visit(value);
    }
    benchmark::DoNotOptimize(is_valid);
    benchmark::DoNotOptimize(members);
  }
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}
BENCHMARK(BM_JsonOnDemandVisitAll)->Arg(128)->Arg(1024);

void BM_JsonDom(benchmark::State& state) {
  const simdjson::padded_string text(chat_message(static_cast<std::size_t>(state.range(0))));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    std::array<simdjson::dom::element, kNames.size()> members;
    simdjson::dom::element document;
    bool is_valid = parser.parse(text).get(document) == simdjson::SUCCESS;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      is_valid = document[kNames[i]].get(members[i]) == simdjson::SUCCESS && is_valid;
    }
    benchmark::DoNotOptimize(is_valid);
    benchmark::DoNotOptimize(members);
  }
  state.SetBytesProcessed(static_cast<int64_t>(text.size()) * state.iterations());
}
BENCHMARK(BM_JsonDom)->Arg(128)->Arg(1024);

void BM_JsonParseChat(benchmark::State& state) {
  const std::string text = chat_message(static_cast<std::size_t>(state.range(0)));
  std::array<char, dialect::kNicknameBytesMax> scratch;
  for (auto _ : state) {
    auto command = dialect::parse_chat(text, scratch);
    benchmark::DoNotOptimize(command);
  }
}
BENCHMARK(BM_JsonParseChat)->Arg(128)->Arg(1024);

void BM_JsonParseRelay(benchmark::State& state) {
  const std::string text =
      R"({"msg_type":"send_","to_user":"U2","from_user":"U1","content":"a file name","n":17})";
  for (auto _ : state) {
    auto command = dialect::parse_relay(text);
    benchmark::DoNotOptimize(command);
  }
}
BENCHMARK(BM_JsonParseRelay);

void BM_JsonClientList(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    dialect::ClientListEncoder encoder(out);
    for (int64_t i = 0; i < state.range(0); ++i) encoder.add(i % 2 == 0 ? "baozi" : "");
    encoder.finish();
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_JsonClientList)->Arg(1000);

}  // namespace
}  // namespace sluice
