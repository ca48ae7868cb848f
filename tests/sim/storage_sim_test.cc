// A whole instance with a storage, from one seed: what is on disk when it is killed at any moment,
// and what its successor with another number of shards makes of it.
#include <gtest/gtest.h>

#include <set>

#include "tests/gateway/storage/memory_store.h"
#include "tests/silent_sink.h"
#include "tests/sim/numbered_stream.h"
#include "tests/sim/sim_world.h"
#include "tests/sim/storage_actor.h"

namespace sluice::test {
namespace {

constexpr std::uint64_t kSeeds = 40;

// One process on the disk, and its clients.
class Life {
 public:
  Life(MemoryDisk& disk, const SimOptions& options, std::uint32_t shards,
       const Namespaces& namespaces)
      : world(options),
        disk_(disk),
        log_(world.network.clock(), sink_, LogLevel::kError, LogFormat::kText),
        storage_(std::make_unique<MemoryStore>(disk), world.network.clock(), log_, {}),
        actor_(storage_) {
    StoredState stored = *storage_.open();
    InstanceOptions instance;
    instance.namespaces = namespaces;
    instance.storage = &storage_;
    instance_.emplace(world.network, world.scheduler, kAddress, shards,
                      ListenerTraits{.is_loopback = true, .is_ops = false}, std::move(instance),
                      std::move(stored));
    world.scheduler.add(actor_);
  }
  ~Life() { kill(); }
  // Nothing of it reaches the disk any more. What the network has still arrives.
  void kill() {
    if (!instance_) return;
    disk_.fails_at = 0;
    EXPECT_EQ(instance_->lost_wakes(), 0u);
    world.scheduler.remove(actor_);
    instance_.reset();
    disk_.fails_at = UINT64_MAX;
  }
  SimInstance& instance() { return *instance_; }

  World world;

 private:
  MemoryDisk& disk_;
  SilentSink sink_;
  Logger log_;
  Storage storage_;
  StorageActor actor_;
  std::optional<SimInstance> instance_;
};

Namespaces with_sync(std::string_view name) {
  Namespaces namespaces = with_history(1000);
  namespaces.of(name).sync = true;
  return namespaces;
}

std::set<std::string> on_disk(const MemoryDisk& disk) {
  std::set<std::string> texts;
  for (const auto& [key, item] : disk.tables.publications) {
    const PublicationView view{item.bytes, item.frame_at};
    texts.emplace(as_text(view.data()));
  }
  return texts;
}

std::string said(int number) {
  return R"({"msg_type":"message","message":")" + std::to_string(number) + "\"}";
}
std::string sent(int number) {
  return R"({"msg_type":"send_","to_user":"toy","n":)" + std::to_string(number) + "}";
}

TEST(StorageSim, WithSyncWhatAnybodyHeardIsOnDiskWheneverItIsKilled) {
  std::size_t heard = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    MemoryDisk disk;
    Life life(disk, SimOptions::rough(seed), 1 + static_cast<std::uint32_t>(seed % 3),
              with_sync(Namespaces::kChat));
    for (int i = 0; i < 4; ++i) life.world.connect("/chat");
    ASSERT_TRUE(life.world.all_open());
    for (int n = 0; n < 30; ++n) {
      life.world.clients[static_cast<std::size_t>(n % 4)]->send_text(said(n));
    }
    Random random(seed);
    for (std::uint64_t steps = random.below(2000); steps > 0; --steps) life.world.scheduler.step();
    life.kill();
    const std::set<std::string> there = on_disk(disk);
    life.world.run([](SimClient&) { return false; });
    for (const auto& client : life.world.clients) {
      for (const std::string& text : client->messages) {
        EXPECT_TRUE(there.contains(text)) << text;
        ++heard;
      }
    }
  }
  EXPECT_GT(heard, 100u);
}

TEST(StorageSim, WhatWasInAMailboxOnDiskIsDeliveredAtLeastOnce) {
  std::size_t delivered_later = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    MemoryDisk disk;
    std::set<std::string> kept;
    std::set<std::string> received;
    {
      Life life(disk, SimOptions::rough(seed), 1 + static_cast<std::uint32_t>(seed % 3),
                with_sync(Namespaces::kUser));
      SimClient& app = life.world.connect("/sendone");
      ASSERT_TRUE(life.world.all_open());
      app.send_text(R"({"msg_type":"accept_","toy_id":"app"})");
      for (int n = 0; n < 40; ++n) app.send_text(sent(n));
      const auto run = [&](std::uint64_t steps) {
        for (; steps > 0; --steps) {
          life.world.scheduler.step();
          if (steps % 8 == 0) kept.merge(on_disk(disk));
        }
      };
      run(random.below(600));
      SimClient& toy = life.world.connect("/sendone");
      run(100);
      toy.poll();
      toy.send_text(R"({"msg_type":"accept_","toy_id":"toy"})");
      run(random.below(1500));
      kept.merge(on_disk(disk));
      life.kill();
      life.world.run([](SimClient&) { return false; });
      received.insert(toy.messages.begin(), toy.messages.end());
    }
    Life next(disk, SimOptions::rough(seed + 1000), 1 + static_cast<std::uint32_t>(seed % 4),
              with_sync(Namespaces::kUser));
    SimClient& toy = next.world.connect("/sendone");
    ASSERT_TRUE(next.world.all_open());
    toy.send_text(R"({"msg_type":"accept_","toy_id":"toy"})");
    ASSERT_TRUE(next.world.scheduler.run_for(std::chrono::seconds(30)));
    toy.poll();
    delivered_later += toy.messages.size();
    received.insert(toy.messages.begin(), toy.messages.end());
    for (const std::string& text : kept) EXPECT_TRUE(received.contains(text)) << text;
    EXPECT_TRUE(on_disk(disk).empty()) << "all of it has arrived";
  }
  EXPECT_GT(delivered_later, 100u);
}

}  // namespace
}  // namespace sluice::test
