#include "proto/http/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::test {
namespace {

std::vector<std::string> elements(std::string_view list) {
  std::vector<std::string> found;
  std::string_view element;
  while (http::next_element(list, element)) found.emplace_back(element);
  return found;
}

TEST(HttpText, ListsSkipEmptyElementsAndBlanks) {
  EXPECT_EQ(elements("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(elements(" a ,\tb\t,,c d, "), (std::vector<std::string>{"a", "b", "c d"}));
  EXPECT_TRUE(elements("").empty());
  EXPECT_TRUE(elements(" , ,").empty());
}

TEST(HttpText, NamesAreEqualInAnyCase) {
  EXPECT_TRUE(http::equals_ignoring_case("Sec-WebSocket-Key", "sec-websocket-KEY"));
  EXPECT_FALSE(http::equals_ignoring_case("Host", "Hosts"));
  EXPECT_FALSE(http::equals_ignoring_case("a[", "a{"));
}

TEST(HttpText, TokensHaveNoDelimiters) {
  EXPECT_TRUE(http::is_token("graphql-ws.v1"));
  for (const std::string_view text : {"", "a b", "a,b", "a/b", "\"a\"", "a\xc3"}) {
    EXPECT_FALSE(http::is_token(text)) << text;
  }
}

TEST(HttpText, AValueInAQueryIsTheFirstOfItsName) {
  const auto token = [](std::string_view query) { return http::query_value(query, "token"); };
  EXPECT_EQ(token("token=a.b.c"), "a.b.c");
  EXPECT_EQ(token("x=1&token=a&token=b"), "a");
  EXPECT_EQ(token("&&token=&y"), "");
  for (const char* query : {"", "token", "xtoken=a", "x=token=a", "Token=a", "&", "tokens=a"}) {
    EXPECT_EQ(token(query), std::nullopt) << query;
  }
}

}  // namespace
}  // namespace sluice::test
