// Many connections at once, and callbacks in the thick of it.
#include "core/base/random.h"
#include "tests/core/backend_suite.h"

namespace sluice {
namespace {

TEST_P(BackendSuite, ACrowdOfConnectionsEchoesExactly) {
  const std::size_t clients_count = harness().crowd();
  Random random(3);
  std::vector<std::unique_ptr<SuiteClient>> clients;
  std::vector<std::string> sent(clients_count);
  driver().echo = true;
  driver().receive_all = true;
  for (std::size_t i = 0; i < clients_count; ++i) clients.push_back(harness().connect());
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < clients_count; ++i) {
      const std::string part = pattern(1 + random.below(600), i * 10 + sent[i].size());
      sent[i] += part;
      clients[i]->write(part);
    }
    int turns = 2;
    run_until([&] { return turns-- <= 0; });
  }
  for (std::size_t i = 0; i < clients_count; ++i) {
    ASSERT_TRUE(run_until([&] { return clients[i]->received().size() >= sent[i].size(); })) << i;
    ASSERT_TRUE(same(clients[i]->received(), sent[i])) << i;
  }
  EXPECT_EQ(driver().accepted.size(), clients_count);
  for (const Handle handle : driver().accepted) driver().close(handle);
  EXPECT_TRUE(all_closed());
}

TEST_P(BackendSuite, ConnectionsComeAndGoUnderLoad) {
  Random random(5);
  driver().echo = true;
  driver().receive_all = true;
  driver().hooks.receive_end = [&](Handle handle) { driver().close(handle); };
  driver().hooks.receive = [&](Handle handle) {
    if (random.chance(1, 50)) driver().close(handle, CloseMode::kAbort);
  };
  std::vector<std::unique_ptr<SuiteClient>> clients;
  for (int round = 0; round < 300; ++round) {
    clients.push_back(harness().connect());
    clients.back()->write(pattern(1 + random.below(30'000)));
    if (random.chance(1, 2)) clients.back()->set_reading(false);
    if (clients.size() > 20) {
      const std::size_t victim = static_cast<std::size_t>(random.below(clients.size()));
      if (random.chance(1, 2)) clients[victim]->set_reading(true);
      if (random.chance(1, 2)) clients[victim]->abort();
      clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(victim));
    }
    int turns = static_cast<int>(random.below(3));
    run_until([&] { return turns-- <= 0; });
  }
  clients.clear();
  EXPECT_TRUE(all_closed());
}

}  // namespace
}  // namespace sluice
