#include "tests/gateway/http_world.h"

#include <algorithm>

#include "proto/ws/client.h"

namespace sluice::test {
namespace {

const SocketAddress kAddress = SocketAddress::ipv4(0x7f000001, 9999);

}  // namespace

std::string request(const std::string& line, const std::string& fields) {
  return line + "\r\nHost: localhost\r\n" + fields + "\r\n";
}

std::string get(const std::string& path, const std::string& fields) {
  return request("GET " + path + " HTTP/1.1", fields);
}

std::string upgrade(const std::string& path, const std::string& fields) {
  return get(path,
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                 fields);
}

std::string frame(ws::Opcode opcode, std::string_view payload, bool fin) {
  std::vector<std::byte> out;
  ws::append_masked_frame(out, Simd::detect(), opcode, fin, as_bytes(payload), 0x5a17c3e9);
  return std::string(as_text(out));
}

std::string close_start(ws::CloseCode code) {
  return {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
}

std::string Response::field(const std::string& name) const {
  const std::string start = "\r\n" + name + ": ";
  const std::size_t at = head.find(start);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + start.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::vector<Response> split(std::string received, std::string_view methods) {
  std::vector<Response> all;
  while (!received.empty()) {
    const std::size_t end = received.find("\r\n\r\n");
    if (end == std::string::npos || !received.starts_with("HTTP/1.1 ")) {
      ADD_FAILURE() << "no response: " << received;
      return all;
    }
    Response response{std::stoi(received.substr(9)), received.substr(0, end + 4), {}};
    received.erase(0, end + 4);
    const bool is_head = all.size() < methods.size() && methods[all.size()] == 'H';
    const std::size_t size = is_head ? 0 : std::stoul("0" + response.field("Content-Length"));
    EXPECT_LE(size, received.size());
    response.body = received.substr(0, size);
    received.erase(0, size);
    all.push_back(std::move(response));
  }
  return all;
}

std::vector<int> statuses(const std::vector<Response>& responses) {
  std::vector<int> all;
  for (const Response& response : responses) all.push_back(response.status);
  return all;
}

std::string without_dates(std::string text) {
  for (std::size_t at; (at = text.find("Date: ")) != std::string::npos;) {
    text.erase(at, text.find("\r\n", at) + 2 - at);
  }
  return text;
}

HttpWorld::HttpWorld() : log_(network_.clock(), sink_, LogLevel::kError, LogFormat::kText) {
  SimOptions& options = network_.options();  // what is written at once arrives at once
  options.chunk_min = options.chunk_max = options.receive_buffer_bytes = 256 * kKiB;
}

void HttpWorld::start(const Limits& limits, const ListenerTraits& traits) {
  InstanceOptions options;
  options.limits = limits;
  start_with(std::move(options), traits);
}

void HttpWorld::start_with(InstanceOptions options, const ListenerTraits& traits) {
  auto backend = std::make_unique<SimBackend>(network_);
  backend_ = backend.get();
  std::vector<std::unique_ptr<Backend>> backends;
  backends.push_back(std::move(backend));
  options.connections_max = options.limits.max_connections;
  instance_ = std::move(*Instance::create(options, network_.clock(), log_, std::move(backends)));
  instance_->listen({network_.open_listener(kAddress)}, traits);
  ASSERT_FALSE(shard().attach());
}

void HttpWorld::run(Duration time) {
  ManualClock& clock = network_.clock();
  const Time end = clock.now() + time;
  while (true) {
    network_.run_due();
    if (backend_->has_events() || shard().until_work() == Duration::zero()) {
      shard().turn(Duration::zero());
      continue;
    }
    const Duration wait = std::min(shard().until_work(), end - clock.now());
    const Time next = std::min(network_.next_event(), clock.now() + wait);
    if (next >= end) break;
    clock.set(std::max(next, clock.now()));
  }
  clock.set(end);
}

std::unique_ptr<SimStream> HttpWorld::connect() { return network_.connect(kAddress); }

std::string HttpWorld::answer(const std::vector<std::string>& pieces) {
  const auto client = connect();
  for (const std::string& piece : pieces) {
    client->write(piece);
    run();
  }
  return client->read();
}

void HttpWorld::check_every_cut(const std::string& bytes) {
  const std::string expected = without_dates(answer({bytes}));
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    ASSERT_EQ(without_dates(answer({bytes.substr(0, cut), bytes.substr(cut)})), expected) << cut;
  }
  std::vector<std::string> single;
  for (const char c : bytes) single.emplace_back(1, c);
  ASSERT_EQ(without_dates(answer(single)), expected) << "byte by byte";
}

}  // namespace sluice::test
