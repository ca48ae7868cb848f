// The suite on simulated networks: a calm one and rough ones from seeds.
#include <gtest/gtest.h>

#include "core/sim/sim_backend.h"
#include "core/sim/sim_network.h"
#include "core/sim/sim_scheduler.h"
#include "core/sim/sim_stream.h"
#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

class SimClient final : public SuiteClient {
 public:
  SimClient(std::unique_ptr<SimStream> stream, const SocketAddress& address)
      : stream_(std::move(stream)), address_(address) {}

  void write(std::string_view bytes) override { stream_->write(bytes); }
  const std::string& received() const override { return stream_->received(); }
  void set_reading(bool on) override { stream_->set_reading(on); }
  void shutdown() override { stream_->shutdown(); }
  void close() override { stream_->close(); }
  void abort() override { stream_->abort(); }
  bool is_connected() const override { return stream_->is_connected(); }
  bool is_eof() const override { return stream_->is_eof(); }
  bool is_reset() const override { return stream_->is_reset(); }
  std::size_t unsent() const override { return stream_->unsent(); }
  SocketAddress address() const override { return address_; }

 private:
  std::unique_ptr<SimStream> stream_;
  SocketAddress address_;
};

class SimHarness final : public SuiteHarness {
 public:
  SimHarness(const SimOptions& options, std::size_t crowd) : network_(options), crowd_(crowd) {
    for (auto& backend : backends_) backend = std::make_unique<SimBackend>(network_);
  }

  Backend& backend(std::size_t index) override { return *backends_[index]; }
  void destroy_backend(std::size_t index) override { backends_[index].reset(); }
  int open_listener() override { return network_.open_listener(address()); }
  SocketAddress address() const override { return SocketAddress::ipv4(0x7f000001, 9999); }
  SocketAddress refusing_address() override { return SocketAddress::ipv4(0x7f000001, 9); }
  std::unique_ptr<SuiteClient> connect() override {
    const auto own = SocketAddress::ipv4(0x7f000002, next_port_++);
    return std::make_unique<SimClient>(network_.connect(address(), own), own);
  }
  void close_descriptor(int descriptor) override { network_.close(descriptor); }
  int open_poll_source() override { return network_.open_poll_source(); }
  void set_readable(int source, bool on) override {
    network_.set_poll_ready(source, on ? kPollIn : 0);
  }
  std::size_t bulk() const override { return 256 * 1024; }
  std::size_t crowd() const override { return crowd_; }
  void set_descriptor_shortage(bool on) override { network_.set_descriptor_shortage(on); }

  bool run_until(const std::function<void(Duration)>& turn,
                 const std::function<bool()>& done) override {
    // Idle virtual time passes in small jumps, as a driver's waits with a timeout would let it.
    constexpr Duration kJump = std::chrono::milliseconds(1);
    const Time end = network_.clock().now() + std::chrono::minutes(10);
    while (!done()) {
      network_.run_due();
      turn(Duration::zero());
      if (has_events()) continue;
      if (network_.clock().now() >= end) return false;
      const Time soon = network_.clock().now() + kJump;
      network_.clock().set(std::max(network_.clock().now(), std::min(soon, network_.next_event())));
    }
    return true;
  }

 private:
  bool has_events() const {
    for (const auto& backend : backends_) {
      if (backend != nullptr && backend->has_events()) return true;
    }
    return false;
  }

  SimNetwork network_;
  std::size_t crowd_;
  std::unique_ptr<SimBackend> backends_[kBackends];
  std::uint16_t next_port_ = 1024;
};

SuiteKind calm() {
  return {"Calm", [](std::string&) { return std::make_unique<SimHarness>(SimOptions{}, 1000); }};
}

SuiteKind rough(std::uint64_t seed) {
  return {"Seed" + std::to_string(seed), [seed](std::string&) {
            return std::make_unique<SimHarness>(SimOptions::rough(seed), 150);
          }};
}

std::vector<SuiteKind> kinds() {
  std::vector<SuiteKind> all{calm()};
  for (std::uint64_t seed = 1; seed <= 8; ++seed) all.push_back(rough(seed));
  return all;
}

INSTANTIATE_TEST_SUITE_P(Sim, BackendSuite, testing::ValuesIn(kinds()), suite_kind_name);
INSTANTIATE_TEST_SUITE_P(Sim, BackendMigration, testing::ValuesIn(kinds()), suite_kind_name);

}  // namespace
}  // namespace sluice
