// One shard that serves HTTP and WebSockets on a simulated network, for tests of what a client gets
// for the bytes it sends: all of it in virtual time, at every cut.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/sim/sim_backend.h"
#include "core/sim/sim_network.h"
#include "core/sim/sim_stream.h"
#include "gateway/instance.h"
#include "proto/ws/frame.h"
#include "tests/silent_sink.h"

namespace sluice::test {

// Requests: `line` and `fields` behind each other, with Host. Fields end in CR LF.
std::string request(const std::string& line, const std::string& fields = {});
std::string get(const std::string& path, const std::string& fields = {});
// A handshake that is in order.
std::string upgrade(const std::string& path, const std::string& fields = {});
// A masked frame of a client.
std::string frame(ws::Opcode opcode, std::string_view payload, bool fin = true);
inline std::string frame(std::string_view text) { return frame(ws::Opcode::kText, text); }
// A Close as the gateway sends it, when it begins with this code.
std::string close_start(ws::CloseCode code);

struct Response {
  int status = 0;
  std::string head;
  std::string body;

  // The value of the first field of that name; empty if there is none.
  std::string field(const std::string& name) const;
};

// The responses that `received` consists of. `methods`: G or H for each, G where it ends.
std::vector<Response> split(std::string received, std::string_view methods = {});
std::vector<int> statuses(const std::vector<Response>& responses);
// Everything but the moment.
std::string without_dates(std::string text);

// Owns network, instance and clock. Not for several shards or a rough network: see tests/sim.
class HttpWorld : public testing::Test {
 protected:
  HttpWorld();

  void start(const Limits& limits = {}, const ListenerTraits& traits = {true, false});
  void start_with(InstanceOptions options, const ListenerTraits& traits);
  Shard& shard() { return instance_->shard(0); }
  std::uint64_t refused(Refused reason) {
    return shard().counters().refused[static_cast<std::size_t>(reason)].value();
  }
  // Sessions of that dialect that have ever been opened.
  std::uint64_t opened(DialectKind dialect) {
    return shard().counters().dialects[static_cast<std::size_t>(dialect)].opened.value();
  }
  std::uint64_t closes(Cause cause, ws::CloseCode code) {
    return shard()
        .counters()
        .closes[static_cast<std::size_t>(cause)][close_code_index(code)]
        .value();
  }
  // Lets everything happen that does within that time.
  void run(Duration time = std::chrono::milliseconds(20));
  std::unique_ptr<SimStream> connect();
  // What a client of its own gets for these bytes, sent in these pieces.
  std::string answer(const std::vector<std::string>& pieces);
  // Whatever way the bytes are cut, the client gets the same.
  void check_every_cut(const std::string& bytes);

  SimNetwork network_;
  std::unique_ptr<Instance> instance_;

 private:
  SilentSink sink_;
  Logger log_;
  SimBackend* backend_ = nullptr;
};

}  // namespace sluice::test
