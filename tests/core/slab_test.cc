#include "core/slab.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace sluice {
namespace {

// Counts the living, and holds memory of its own so that a missed destructor is a leak.
struct Tenant {
  Tenant(int& count_of_living, std::string its_name)
      : living(count_of_living), name(std::move(its_name)) {
    ++living;
  }
  ~Tenant() { --living; }
  Tenant(const Tenant&) = delete;
  Tenant& operator=(const Tenant&) = delete;

  int& living;
  std::string name;
};

const std::string kLongName(100, 'x');

TEST(Slab, NamesStartAtGenerationOneAndFindTheirObject) {
  int living = 0;
  Slab<Tenant> slab;
  const Handle handle = slab.allocate(living, kLongName);
  EXPECT_EQ(handle, (Handle{0, 1}));
  ASSERT_NE(slab.get(handle), nullptr);
  EXPECT_EQ(slab.get(handle)->name, kLongName);
  EXPECT_EQ(&slab.at(handle.slot), slab.get(handle));
  EXPECT_EQ(slab.handle_of(handle.slot), handle);
  EXPECT_EQ(slab.get(Handle{}), nullptr);
  EXPECT_EQ(slab.get(Handle{99'999, 1}), nullptr);
}

TEST(Slab, AHandleDiesWithItsObject) {
  int living = 0;
  Slab<Tenant> slab;
  const Handle old = slab.allocate(living, "old");
  slab.free(old);
  EXPECT_EQ(living, 0);
  EXPECT_EQ(slab.get(old), nullptr);
  EXPECT_EQ(slab.get(Handle{old.slot, old.generation + 1}), nullptr) << "nobody lives there yet";
  const Handle fresh = slab.allocate(living, "fresh");
  EXPECT_EQ(fresh.slot, old.slot) << "the last freed slot is warm";
  EXPECT_NE(fresh.generation, old.generation);
  EXPECT_EQ(slab.get(old), nullptr);
  EXPECT_EQ(slab.get(fresh)->name, "fresh");
}

TEST(Slab, AddressesStayWhileItGrows) {
  int living = 0;
  Slab<Tenant, 16> slab;
  std::map<std::uint32_t, Tenant*> at;
  for (int i = 0; i < 1000; ++i) {
    const Handle handle = slab.allocate(living, std::to_string(i));
    at[handle.slot] = slab.get(handle);
  }
  EXPECT_EQ(slab.size(), 1000u);
  for (const auto& [slot, tenant] : at) {
    EXPECT_EQ(&slab.at(slot), tenant);
    EXPECT_EQ(tenant->name, std::to_string(slot));
  }
}

TEST(Slab, DestroysWhatIsLeft) {
  int living = 0;
  {
    Slab<Tenant, 4> slab;
    for (int i = 0; i < 10; ++i) slab.allocate(living, kLongName);
    slab.free(Handle{3, 1});
    EXPECT_EQ(living, 9);
  }
  EXPECT_EQ(living, 0);
}

TEST(Slab, ForEachVisitsInOrderAndMayFree) {
  int living = 0;
  Slab<Tenant, 8> slab;
  for (int i = 0; i < 20; ++i) slab.allocate(living, std::to_string(i));
  std::vector<std::uint32_t> visited;
  slab.for_each([&](Handle handle, Tenant& tenant) {
    EXPECT_EQ(tenant.name, std::to_string(handle.slot));
    visited.push_back(handle.slot);
    slab.free(handle);
    if (handle.slot == 5) slab.free(Handle{7, 1});  // not yet visited, and will not be
  });
  EXPECT_EQ(visited.size(), 19u);
  EXPECT_TRUE(std::is_sorted(visited.begin(), visited.end()));
  EXPECT_TRUE(slab.empty());
}

TEST(Slab, TheHandleIsDeadInTheDestructor) {
  struct Curious {
    explicit Curious(Slab<Curious>& table) : slab(table) {}
    ~Curious() { EXPECT_EQ(slab.get(self), nullptr); }
    Slab<Curious>& slab;
    Handle self;
  };
  Slab<Curious> slab;
  const Handle handle = slab.allocate(slab);
  slab.get(handle)->self = handle;
  slab.free(handle);
}

TEST(Slab, AgreesWithAMapUnderRandomUse) {
  Random random(7);
  int living = 0;
  Slab<Tenant, 16> slab;
  std::vector<std::pair<Handle, std::string>> alive;
  std::vector<Handle> dead;
  for (int step = 0; step < 20'000; ++step) {
    if (alive.empty() || random.chance(1, 2)) {
      const std::string name = std::to_string(step) + kLongName;
      alive.emplace_back(slab.allocate(living, name), name);
    } else {
      std::swap(alive[random.below(alive.size())], alive.back());
      slab.free(alive.back().first);
      dead.push_back(alive.back().first);
      alive.pop_back();
    }
    ASSERT_EQ(slab.size(), alive.size());
    if (!alive.empty()) {
      const auto& [handle, name] = alive[random.below(alive.size())];
      ASSERT_NE(slab.get(handle), nullptr);
      ASSERT_EQ(slab.get(handle)->name, name);
    }
    if (!dead.empty()) {
      ASSERT_EQ(slab.get(dead[random.below(dead.size())]), nullptr);
    }
  }
}

TEST(SlabDeathTest, RefusesToFreeTwice) {
  EXPECT_DEATH(
      {
        Slab<int> slab;
        const Handle handle = slab.allocate(1);
        slab.free(handle);
        slab.free(handle);
      },
      "tenant");
}

}  // namespace
}  // namespace sluice
