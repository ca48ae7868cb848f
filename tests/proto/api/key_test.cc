#include "proto/api/key.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sluice::api {
namespace {

Keys make_keys(std::span<const std::string_view> keys) {
  auto made = Keys::create(keys);
  EXPECT_TRUE(made.has_value());
  return std::move(*made);
}

class ApiKeys : public testing::Test {
 protected:
  bool by_header(std::string_view key) { return keys_.admits({key, std::nullopt, ""}); }
  bool by_authorization(std::string_view value) { return keys_.admits({std::nullopt, value, ""}); }
  bool by_query(std::string_view query) {
    return keys_.admits({std::nullopt, std::nullopt, query});
  }

  static constexpr std::array<std::string_view, 3> kKeys = {"first-key", "a+b c%", "third"};
  Keys keys_ = make_keys(kKeys);
};

TEST_F(ApiKeys, AdmitsEachKeyInEachPlace) {
  for (const std::string_view key : kKeys) {
    EXPECT_TRUE(by_header(key));
    EXPECT_TRUE(by_authorization("apikey " + std::string(key)));
  }
  EXPECT_TRUE(by_authorization("APIKey   third "));
  EXPECT_TRUE(by_query("api_key=first-key"));
  EXPECT_TRUE(by_query("a=b&api_key=first-key&c"));
  EXPECT_TRUE(by_query("&&api_key=%66irst%2Dkey"));
  EXPECT_TRUE(by_query("api_key=a%2bb+c%"));
}

TEST_F(ApiKeys, RefusesEverythingElse) {
  EXPECT_FALSE(keys_.admits({}));
  for (const std::string_view key :
       {"", "first-ke", "first-key ", "First-key", "first-keyy", "x"}) {
    EXPECT_FALSE(by_header(key)) << key;
    EXPECT_FALSE(by_query("api_key=" + std::string(key) + "%00")) << key;
  }
  EXPECT_FALSE(by_authorization("first-key"));
  EXPECT_FALSE(by_authorization("apikey"));
  EXPECT_FALSE(by_authorization("apikey "));
  EXPECT_FALSE(by_authorization("apikeyfirst-key"));
  EXPECT_FALSE(by_authorization("Bearer first-key"));
  EXPECT_FALSE(by_query("xapi_key=first-key"));
  EXPECT_FALSE(by_query("api_key"));
  EXPECT_FALSE(by_query("api_key="));
  EXPECT_FALSE(by_query("api_key=first-key%"));
  EXPECT_FALSE(by_query("api_key=first-key%2"));
  EXPECT_FALSE(by_query("api_key=%zzfirst-key"));
  EXPECT_FALSE(by_query("api_key=" + std::string(100'000, 'k')));
}

TEST_F(ApiKeys, LooksAtTheFirstPlaceOnly) {
  EXPECT_FALSE(keys_.admits({"wrong", "apikey third", "api_key=third"}));
  EXPECT_FALSE(keys_.admits({"", "apikey third", "api_key=third"}));
  EXPECT_FALSE(keys_.admits({std::nullopt, "apikey wrong", "api_key=third"}));
  EXPECT_FALSE(by_query("api_key=wrong&api_key=third"));
  // Another scheme is somebody else's: a proxy's, perhaps.
  EXPECT_TRUE(keys_.admits({std::nullopt, "Basic dTpw", "api_key=third"}));
  EXPECT_TRUE(keys_.admits({"third", "apikey wrong", "api_key=wrong"}));
}

TEST(ApiKeysOfNobody, AdmitNobody) {
  constexpr std::array<std::string_view, 1> kEmpty = {""};
  for (const auto none :
       {std::span<const std::string_view>(), std::span<const std::string_view>(kEmpty)}) {
    Keys keys = make_keys(none);
    EXPECT_FALSE(keys.admits({"", "apikey ", "api_key="}));
    EXPECT_FALSE(keys.admits({}));
    EXPECT_FALSE(keys.admits({std::nullopt, std::nullopt, "api_key="}));
  }
}

}  // namespace
}  // namespace sluice::api
