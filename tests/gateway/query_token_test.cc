#include "gateway/query_token.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(QueryToken, IsTheFirstOfThatName) {
  EXPECT_EQ(query_token("token=a.b.c"), "a.b.c");
  EXPECT_EQ(query_token("x=1&token=a&token=b"), "a");
  EXPECT_EQ(query_token("&&token=&y"), "");
  for (const char* query : {"", "token", "xtoken=a", "x=token=a", "Token=a", "&"}) {
    EXPECT_EQ(query_token(query), std::nullopt) << query;
  }
}

}  // namespace
}  // namespace sluice
