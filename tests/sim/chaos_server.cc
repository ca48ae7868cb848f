// What the application server does during a run of chaos: it publishes to the chat, by key.
#include <string>
#include <utility>

#include "tests/sim/chaos_run.h"

namespace sluice::test {
namespace {

constexpr std::uint64_t kKeys = 3;

std::string batch_bytes(const std::string& commands) {
  const std::string body = R"({"commands":[)" + commands + "]}";
  return "POST /api/batch HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + std::string(kServerKey) +
         "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

}  // namespace

// All of a call is published, or nothing of it.
void Chaos::publish_by_key() {
  const std::string name = "key" + std::to_string(++moment_);
  Spoken& spoken = chat_[name];
  spoken.began = moment_;
  const std::size_t padding = random_.chance(1, 4) ? random_.below(3000) : 0;
  std::string commands;
  for (std::uint64_t count = 1 + random_.below(8); count > 0; --count) {
    if (spoken.said > 0) commands += ',';
    commands += R"({"publish":{"channel":"chat","key":")" + std::to_string(random_.below(kKeys)) +
                R"(","data":)" + message_text({}, {name, spoken.said++}, padding) + "}}";
  }
  auto stream = world_.network.connect(kAddress);
  stream->write(batch_bytes(commands));
  calls_.push_back({name, std::move(stream)});
}

void Chaos::look_at_answers() {
  for (ServerCall& call : calls_) {
    if (call.stream->received().find("\"replies\"") != std::string::npos) {
      chat_.at(call.spoken).has_arrived = true;
    }
  }
  std::erase_if(calls_, [](const ServerCall& call) {
    return call.stream->is_eof() || call.stream->is_reset();
  });
}

}  // namespace sluice::test
