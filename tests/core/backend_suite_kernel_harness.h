// The suite's world for backends of the kernel: loopback sockets and non-blocking clients.
#pragma once

#include <sys/resource.h>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "tests/core/backend_suite_harness.h"

namespace sluice {

class KernelClient;

// Owned by a test, one thread. Raises the descriptor limit while it lives. Clients are driven by an
// epoll set of its own, between the turns of the backends.
class KernelHarness final : public SuiteHarness {
 public:
  KernelHarness(std::unique_ptr<Backend> first, std::unique_ptr<Backend> second);
  ~KernelHarness() override;
  KernelHarness(const KernelHarness&) = delete;
  KernelHarness& operator=(const KernelHarness&) = delete;

  Backend& backend(std::size_t index) override { return *backends_[index]; }
  void destroy_backend(std::size_t index) override { backends_[index].reset(); }
  int open_listener() override;
  SocketAddress address() const override { return address_; }
  SocketAddress refusing_address() override;
  std::unique_ptr<SuiteClient> connect() override;
  void close_descriptor(int descriptor) override;
  int open_poll_source() override;
  void set_readable(int source, bool on) override;
  std::size_t bulk() const override { return 8 << 20; }
  std::size_t crowd() const override { return 1000; }
  void set_descriptor_shortage(bool on) override;
  bool run_until(const std::function<void(Duration)>& turn,
                 const std::function<bool()>& done) override;

 private:
  friend class KernelClient;
  bool run_clients();

  std::unique_ptr<Backend> backends_[kBackends];
  SocketAddress address_;
  int clients_epoll_ = -1;
  rlimit former_limit_{};
};

}  // namespace sluice
