// The form of a UUID, and that no bit but those of version and variant is lost.
#include "gateway/uuid.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "core/base/random.h"

namespace sluice::test {
namespace {

TEST(Uuid, HasTheFormOfVersionFour) {
  EXPECT_EQ(make_uuid(0, 0), "00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(make_uuid(UINT64_MAX, UINT64_MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(make_uuid(0x0123456789abcdef, 0xfedcba9876543210),
            "01234567-89ab-4def-bedc-ba9876543210");
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::string made = make_uuid(random.next(), random.next());
    EXPECT_TRUE(std::regex_match(made, form)) << made;
  }
}

TEST(Uuid, EachOf122BitsCounts) {
  std::set<std::string> all;
  for (unsigned bit = 0; bit < 64; ++bit) {
    all.insert(make_uuid(std::uint64_t{1} << bit, 0));
    all.insert(make_uuid(0, std::uint64_t{1} << bit));
  }
  EXPECT_EQ(all.size(), 123u) << "and the one that has none of them";
}

}  // namespace
}  // namespace sluice::test
