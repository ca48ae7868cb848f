#include "proto/hmac.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace sluice {
namespace {

std::string hex(const Hmac::Digest& digest) {
  std::string out;
  for (const unsigned char byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

Hmac made(std::string_view key) {
  auto hmac = Hmac::create(key);
  EXPECT_TRUE(hmac.has_value());
  return std::move(*hmac);
}

// RFC 4231, test cases 1, 2, 3 and 6.
TEST(Hmac, IsWhatTheStandardSays) {
  EXPECT_EQ(hex(made(std::string(20, '\x0b')).of({"Hi There"})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(made("Jefe").of({"what do ya want for nothing?"})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(made(std::string(20, '\xaa')).of({std::string(50, '\xdd')})),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hex(made(std::string(131, '\xaa'))
                    .of({"Test Using Larger Than Block-Size Key - Hash Key First"})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, DoesNotDependOnHowATextIsCutOrOnWhatCameBefore) {
  Hmac hmac = made("key");
  const std::string text = "1700000000.{\"a\":1}";
  const auto whole = hmac.of({text});
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(hmac.of({text.substr(0, cut), text.substr(cut)}), whole);
  }
  EXPECT_NE(hmac.of({}), whole);
  EXPECT_EQ(hmac.of({text}), whole);
}

}  // namespace
}  // namespace sluice
