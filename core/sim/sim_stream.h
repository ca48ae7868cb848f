// A raw client of a simulated network, for tests that speak to a server byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/bytes.h"
#include "core/sim/sim_network.h"

namespace sluice {

// Made by SimNetwork::connect, owned by the test, one thread; must not outlive the network. Sends
// and receives by itself as the network's time goes on (SimNetwork::run_due); the calls below only
// say what it has to send and whether it reads. Not a Backend: there are no events, one looks.
class SimStream final : private SimObserver {
 public:
  SimStream(SimNetwork& network, int token);
  ~SimStream();  // aborts unless closed
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;

  // Queues; goes out as the server reads. REQUIRES: neither `shutdown` nor `close` was called.
  void write(std::string_view bytes);
  void write(ConstBytes bytes) { write(as_text(bytes)); }
  // Everything received and not yet taken.
  std::string read();
  const std::string& received() const noexcept { return received_; }

  // While off, what the server sends piles up in the network until the server cannot send.
  void set_reading(bool on);
  // FIN after everything queued.
  void shutdown();
  // Goes away after everything queued; no longer reads.
  void close();
  void abort();

  bool is_connected() const noexcept { return is_connected_; }
  bool is_eof() const noexcept { return is_eof_; }
  // Refused or reset; no error while all is well.
  std::error_code error() const noexcept { return error_; }
  bool is_reset() const noexcept { return static_cast<bool>(error_); }
  std::size_t unsent() const noexcept { return unsent_.size() - begin_; }
  bool is_closed() const noexcept { return is_closed_; }
  // The network's name of this end; valid while not closed.
  int token() const noexcept { return token_; }

 private:
  void on_ready(std::uint32_t key) noexcept override;
  void pump_out();
  void pump_in();
  void end(bool by_reset);

  SimNetwork& network_;
  int token_;
  std::string unsent_;
  std::size_t begin_ = 0;  // of unsent_: before that it was sent
  std::string received_;
  std::error_code error_;
  bool reads_ = true;
  bool wants_shutdown_ = false;
  bool wants_close_ = false;
  bool is_connected_ = false;
  bool is_eof_ = false;
  bool is_closed_ = false;
};

}  // namespace sluice
