// What the behaviour suite needs of the world around a Backend: listeners, raw clients, time, and
// shortages. One implementation makes real sockets, the other a simulated network, so that each
// test is written once.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/backend.h"
#include "core/socket_address.h"

namespace sluice {

// A raw peer that is no Backend: it sends what it was given and collects what comes, as the
// harness' time goes on. Owned by the test; must not outlive the harness.
class SuiteClient {
 public:
  virtual ~SuiteClient() = default;  // resets unless closed
  virtual void write(std::string_view bytes) = 0;
  virtual const std::string& received() const = 0;
  virtual void set_reading(bool on) = 0;
  virtual void shutdown() = 0;  // FIN after what was written
  virtual void close() = 0;     // goes away after what was written
  virtual void abort() = 0;     // RST
  virtual bool is_connected() const = 0;
  virtual bool is_eof() const = 0;
  virtual bool is_reset() const = 0;  // reset or refused
  virtual std::size_t unsent() const = 0;
  virtual SocketAddress address() const = 0;  // its own
};

// Owned by a test, one thread. Has two Backends of the kinds under test, not yet attached.
class SuiteHarness {
 public:
  static constexpr std::size_t kBackends = 2;

  virtual ~SuiteHarness() = default;
  virtual Backend& backend(std::size_t index) = 0;
  virtual void destroy_backend(std::size_t index) = 0;

  virtual int open_listener() = 0;                     // to be given to Backend::listen
  virtual SocketAddress address() const = 0;           // where it listens
  virtual SocketAddress refusing_address() = 0;        // where nobody does
  virtual std::unique_ptr<SuiteClient> connect() = 0;  // to address()
  virtual void close_descriptor(int descriptor) = 0;

  // For Backend::poll: something that is readable when told so.
  virtual int open_poll_source() = 0;
  virtual void set_readable(int source, bool on) = 0;

  // More than both ends of a connection can hold in the kernel, by far.
  virtual std::size_t bulk() const = 0;
  // Many connections, as many as a test may take time for.
  virtual std::size_t crowd() const = 0;

  // While on, no further descriptor can be had.
  virtual void set_descriptor_shortage(bool on) = 0;

  // Runs clients, and `turn` for each backend, until `done` (true) or a deadline (false). `turn`
  // gets the longest time to wait.
  virtual bool run_until(const std::function<void(Duration)>& turn,
                         const std::function<bool()>& done) = 0;
};

// What one parameter of the suite stands for.
struct SuiteKind {
  std::string name;
  // Null, with the reason, where the machine does not offer it.
  std::function<std::unique_ptr<SuiteHarness>(std::string& reason)> make;
};

inline void PrintTo(const SuiteKind& kind, std::ostream* out) { *out << kind.name; }

}  // namespace sluice
