// What accepting a WebSocket costs beside the kernel: parse, check, accept key, response.
#include <benchmark/benchmark.h>

#include <string>

#include "core/base/check.h"
#include "proto/http/request_parser.h"
#include "proto/ws/handshake.h"

namespace {

constexpr std::string_view kRequest =
    "GET /chat HTTP/1.1\r\n"
    "Host: 127.0.0.1:9999\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: http://127.0.0.1:9999\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";

void parse_request(benchmark::State& state) {
  const auto level = static_cast<sluice::SimdLevel>(state.range(0));
  if (!sluice::Simd::supports(level)) return state.SkipWithError("not on this machine");
  sluice::http::RequestParser parser(sluice::Simd::of(level));
  for (auto _ : state) {
    parser.reset();
    benchmark::DoNotOptimize(parser.parse(sluice::as_bytes(kRequest)));
  }
  state.SetLabel(std::string(name_of(level)));
}
BENCHMARK(parse_request)->DenseRange(0, 2);

void accept_key(benchmark::State& state) {
  auto accept = sluice::ws::AcceptKey::create();
  SLUICE_CHECK(accept.has_value());
  for (auto _ : state) benchmark::DoNotOptimize(accept->of("dGhlIHNhbXBsZSBub25jZQ=="));
}
BENCHMARK(accept_key);

void whole_handshake(benchmark::State& state) {
  auto accept = sluice::ws::AcceptKey::create();
  SLUICE_CHECK(accept.has_value());
  sluice::http::RequestParser parser(sluice::Simd::detect());
  std::string out;
  for (auto _ : state) {
    out.clear();
    parser.reset();
    SLUICE_CHECK(parser.parse(sluice::as_bytes(kRequest)).has_value());
    const auto handshake = sluice::ws::check_upgrade(parser.request());
    SLUICE_CHECK(handshake.has_value());
    sluice::ws::append_switching_protocols(out, accept->of(handshake->key));
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(whole_handshake);

}  // namespace
