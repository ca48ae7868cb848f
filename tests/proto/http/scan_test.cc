#include "proto/http/scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/simd.h"

namespace sluice::test {
namespace {

struct Scans {
  SimdLevel level;
  Simd::ScanFn tested;
  Simd::ScanFn twin;
  const char* name;
};

std::vector<Scans> all_scans() {
  std::vector<Scans> scans;
  const Simd twin = Simd::of(SimdLevel::kScalar);
  for (const SimdLevel level : {SimdLevel::kScalar, SimdLevel::kSse2, SimdLevel::kAvx2}) {
    if (!Simd::supports(level)) continue;
    const Simd simd = Simd::of(level);
    scans.push_back({level, simd.scan_token, twin.scan_token, "token"});
    scans.push_back({level, simd.scan_target, twin.scan_target, "target"});
    scans.push_back({level, simd.scan_value, twin.scan_value, "value"});
  }
  return scans;
}

TEST(Scan, FindsEveryByteAtEveryPlaceAsItsScalarTwinDoes) {
  for (const Scans& scan : all_scans()) {
    for (const std::size_t size : {1u, 15u, 16u, 17u, 31u, 32u, 33u, 48u, 63u, 64u, 65u, 100u}) {
      for (std::size_t at = 0; at < size; ++at) {
        std::vector<char> text(size, 'a');  // on the heap, so that reading past it is seen
        for (int byte = 0; byte < 256; ++byte) {
          text[at] = static_cast<char>(byte);
          ASSERT_EQ(scan.tested(text.data(), size), scan.twin(text.data(), size))
              << name_of(scan.level) << ' ' << scan.name << ", byte " << byte << " at " << at;
        }
      }
    }
  }
}

TEST(Scan, FindsTheFirstOfSeveral) {
  const std::string text = std::string(40, 'a') + "\r\n" + std::string(40, 'b') + "\r\n";
  for (const Scans& scan : all_scans()) EXPECT_EQ(scan.tested(text.data(), text.size()), 40u);
}

TEST(Scan, AnswersTheSizeWhenEverythingBelongs) {
  const std::string text(77, 'a');
  for (const Scans& scan : all_scans()) EXPECT_EQ(scan.tested(text.data(), text.size()), 77u);
}

std::string belonging(Simd::ScanFn scan) {
  std::string found;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (scan(&c, 1) == 1) found += c;
  }
  return found;
}

TEST(Scan, KnowsTheCharactersOfTheRfc) {
  EXPECT_EQ(belonging(http::scan_token_scalar),
            "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
  const std::string target = belonging(http::scan_target_scalar);
  EXPECT_EQ(target.size(), 94u);
  EXPECT_EQ(target.front(), '!');
  EXPECT_EQ(target.back(), '~');
  const std::string value = belonging(http::scan_value_scalar);
  EXPECT_EQ(value.size(), 1u + 95 + 128);  // tab, printable, obs-text
  EXPECT_EQ(value.front(), '\t');
}

}  // namespace
}  // namespace sluice::test
