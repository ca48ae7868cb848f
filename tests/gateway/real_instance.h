// A whole Instance on real threads, real sockets and a kernel backend, and a blocking client of it:
// for what the simulation cannot show, races and the cost of a message. Not for behaviour that a
// seed can reproduce; that belongs into tests/sim.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend_choice.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/socket_address.h"
#include "gateway/instance.h"
#include "tests/silent_sink.h"

namespace sluice::test {

// Owns all the memory that it will ever use. Used by one thread at a time.
class BlockingClient {
 public:
  // Connects and upgrades; failures are the test's.
  BlockingClient(const SocketAddress& address, std::string_view path);
  ~BlockingClient();
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  void send(ConstBytes bytes) const;
  // Whether a frame of that payload size came within 20 seconds.
  bool receive(std::size_t payload);
  // The next frame's payload; empty when none came. Payloads of up to 65535 bytes.
  std::string_view receive_text();

 private:
  bool receive_exactly(std::size_t size);

  int socket_ = -1;
  std::array<char, 65536> buffer_;
};

// A masked text frame.
std::vector<std::byte> text_frame(std::string_view text);

// Two shards on a port of the loopback interface, stopped and joined by the destructor.
class RealInstance {
 public:
  // is_open() is false where the kernel does not have that backend; why() tells.
  RealInstance(BackendKind kind, const Clock& clock);
  ~RealInstance();
  RealInstance(const RealInstance&) = delete;
  RealInstance& operator=(const RealInstance&) = delete;

  bool is_open() const { return instance_ != nullptr; }
  const std::string& why() const { return why_; }
  const SocketAddress& address() const { return address_; }

 private:
  SilentSink sink_;
  Logger log_;
  std::string why_;
  SocketAddress address_;
  std::unique_ptr<Instance> instance_;
};

}  // namespace sluice::test
