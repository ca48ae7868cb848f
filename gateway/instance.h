// One process' worth of gateway: the shards and what they share.
//
// The same object serves the binary, which gives it threads and kernel backends, and a simulation,
// which gives it simulated backends and steps its shards itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/log.h"
#include "gateway/shard.h"

namespace sluice {

struct InstanceOptions {
  Limits limits;
  Namespaces namespaces;
  Compression compression;
  std::size_t connections_max = 0;  // resolved: what limits and descriptors allow; 0: no limit
  AdmissionRules admission;
  std::vector<std::string> token_keys;  // any of which may have signed a client's token
  token::Expectations token_expectations;
  std::uint64_t seed = 0;           // hashes, jitter, epoch
  std::optional<RobotSetup> robot;  // who answers in the group chat, if anybody
  ApiSettings api;
  std::vector<std::string> api_keys;  // none: there is no API
  std::optional<HookSetup> hooks;     // what the application server is asked and told, if anything
  // What is kept outlives the process; open, not started, outlives the instance. Null: in memory.
  Storage* storage = nullptr;
};

// Owned by main or a test. Built and destroyed on one thread; see each call.
class Instance final : private InstanceView {
 public:
  // One shard per backend. `stored` is what the storage has. Fails if this machine's OpenSSL has no
  // SHA-1, or no SHA-256 for tokens and keys.
  static Result<std::unique_ptr<Instance>, std::string_view> create(
      const InstanceOptions& options, const Clock& clock, const Logger& log,
      std::vector<std::unique_ptr<Backend>> backends, StoredState stored = {});
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Adds a listener: one descriptor per shard. Before `start`.
  void listen(const std::vector<int>& descriptors, const ListenerTraits& traits);

  // Runs each shard on a thread of its own; `pins` names the CPU of each, or is empty. Returns when
  // all listen. An error is a listener that cannot be used.
  std::error_code start(const std::vector<unsigned>& pins);
  // Ends what can be ended properly within `timeout`, then the rest. Any thread that is no shard.
  void stop(Duration timeout) noexcept;
  // All shards have stopped. Any thread.
  bool has_stopped() const noexcept { return running_.load(std::memory_order_acquire) == 0; }
  void join() noexcept;
  // All shards have stopped: what is still on its way between them arrives, and what is kept is
  // handed to the storage. Once, by the thread that has joined or stepped them.
  void finish() noexcept;
  // What of the storage is there again, once all shards are attached.
  Restored restored() const noexcept;

  // For those who step the shards themselves.
  std::uint32_t shard_count() const noexcept { return static_cast<std::uint32_t>(shards_.size()); }
  Shard& shard(std::uint32_t index) noexcept { return *shards_[index]; }
  const ConnectionCounts& connections() const noexcept { return connections_; }

  // InstanceView
  bool is_ready() const noexcept override { return !stopping_.load(std::memory_order_relaxed); }
  bool has_lost_storage() const noexcept override {
    return options_.storage != nullptr && !options_.storage->is_up();
  }
  std::string metrics() const override;
  InstanceFigures figures() const override;
  std::optional<std::uint32_t> shard_with_room(std::uint32_t but) const noexcept override;

 private:
  Instance(const InstanceOptions& options, const Clock& clock, const Logger& log,
           std::uint32_t shards);
  void hand_out(StoredState stored);

  const InstanceOptions options_;
  const Clock& clock_;
  const Time started_;
  Exchange<ShardMessage> exchange_;
  ConnectionCounts connections_;
  const InstanceShared shared_;
  const std::string id_;  // of this start
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
  std::uint32_t listeners_ = 0;
  std::atomic<std::uint32_t> running_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace sluice
