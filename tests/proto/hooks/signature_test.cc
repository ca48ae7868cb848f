#include "proto/hooks/signature.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::hooks {
namespace {

std::string field(const std::vector<std::string>& secrets, std::string_view body) {
  auto signer = Signer::create(secrets);
  EXPECT_TRUE(signer.has_value());
  std::string out = "X: y\n";
  signer->append_field(out, 1700000000, body);
  return out;
}

// The digests are what Python's hmac module makes of the same.
TEST(Signature, IsOfTheTimeAFullStopAndTheBody) {
  EXPECT_EQ(field({"secret"}, R"({"a":1})"),
            "X: y\nSluice-Signature: t=1700000000,v1="
            "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686\n");
}

TEST(Signature, IsMadeWithEverySecretInTheirOrder) {
  EXPECT_EQ(field({"new", "secret"}, R"({"a":1})"),
            "X: y\nSluice-Signature: t=1700000000,v1="
            "3059c989fa84162df0f97ac049f47ef3901cb2d0450da51db83334ebd411d775"
            ",v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686\n");
}

TEST(Signature, IsNotThereWithoutASecret) { EXPECT_EQ(field({}, "{}"), "X: y\n"); }

}  // namespace
}  // namespace sluice::hooks
