#include "gateway/origin.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string normal(std::string_view text) {
  const auto origin = Origin::parse(text);
  return origin ? origin->to_string() : "error: " + origin.error();
}

bool matches(std::string_view allowed, std::string_view field) {
  return Origin::parse(allowed)->matches(field);
}

TEST(Origin, IsShownAsBrowsersWriteIt) {
  EXPECT_EQ(normal("https://app.example"), "https://app.example");
  EXPECT_EQ(normal("HTTPS://App.Example:443"), "https://app.example");
  EXPECT_EQ(normal("http://app.example:80"), "http://app.example");
  EXPECT_EQ(normal("http://app.example:443"), "http://app.example:443");
  EXPECT_EQ(normal("http://[::1]:8080"), "http://[::1]:8080");
  EXPECT_EQ(normal("http://127.0.0.1:65535"), "http://127.0.0.1:65535");
  EXPECT_EQ(normal("capacitor://localhost"), "capacitor://localhost");
  EXPECT_EQ(normal("null"), "null");
}

TEST(Origin, ThatCannotBeOneIsRefusedWithTheRemedy) {
  const std::string form =
      "error: write scheme://host or scheme://host:port, such as https://app.example, or null";
  for (const char* text : {"app.example", "NULL", "//app.example", "https:app.example",
                           "1http://app.example", "://app.example", "ht tp://app.example"}) {
    EXPECT_EQ(normal(text), form) << text;
  }
  const std::string wild = "error: there are no wildcards; name each origin";
  for (const char* text : {"*", "https://*", "https://*.app.example", "https://app.example:*"}) {
    EXPECT_EQ(normal(text), wild) << text;
  }
  const std::string end =
      "error: end it after the host or the port, without path, query or even a slash";
  for (const char* text : {"https://app.example/", "https://app.example/chat",
                           "https://app.example?a=b", "https://app.example#a", "file:///a"}) {
    EXPECT_EQ(normal(text), end) << text;
  }
  for (const char* text : {"https://user@app.example", "https://user:word@app.example:1"}) {
    EXPECT_EQ(normal(text), "error: leave out user and password") << text;
  }
  for (const char* text : {"https://app.example:", "https://app.example:0", "http://a:65536",
                           "https://app.example:080", "https://[::1]:"}) {
    EXPECT_EQ(normal(text), "error: the port must be 1 to 65535") << text;
  }
  for (const char* text :
       {"https://", "https://:80", "https://b\xc3\xbc.example", "https://a b", "https://[::1",
        "https://[::g]", "https://::1", "https://app.example:x", "https://a,https://b"}) {
    EXPECT_TRUE(normal(text).starts_with("error: ")) << text;
  }
  EXPECT_EQ(normal("wss://app.example"),
            "error: an origin has the scheme of the page; write http:// or https://");
}

TEST(Origin, MatchesSchemeHostAndPortWithDefaultsFilledIn) {
  for (const char* field : {"https://app.example", "https://app.example:443", "https://APP.example",
                            "HTTPS://app.example"}) {
    EXPECT_TRUE(matches("https://app.example", field)) << field;
    EXPECT_TRUE(matches("https://App.Example:443", field)) << field;
  }
  EXPECT_TRUE(matches("http://[::1]:8080", "http://[::1]:8080"));
  EXPECT_TRUE(matches("capacitor://localhost", "capacitor://localhost"));
}

TEST(Origin, MatchesNothingThatIsOnlySimilar) {
  for (const char* field : {"http://app.example",
                            "http://app.example:443",
                            "https://app.example:444",
                            "https://app.example:80",
                            "https://app.example.evil.example",
                            "https://evil-app.example",
                            "https://www.app.example",
                            "https://app.example.",
                            "https://app.example/",
                            "https://app.example:",
                            "app.example",
                            "https://user@app.example",
                            "https://app.example:0443",
                            "https://app.example:443443",
                            "https://app.example https://evil.example",
                            "https://evil.example https://app.example",
                            " https://app.example",
                            "null",
                            "",
                            "*",
                            "https://",
                            "https://*"}) {
    EXPECT_FALSE(matches("https://app.example", field)) << field;
  }
  EXPECT_FALSE(matches("capacitor://localhost", "capacitor://localhost:80"));
}

TEST(Origin, NullMatchesItselfOnly) {
  EXPECT_TRUE(matches("null", "null"));
  for (const char* field : {"NULL", "", "null ", "http://null", "https://app.example"}) {
    EXPECT_FALSE(matches("null", field)) << field;
  }
}

}  // namespace
}  // namespace sluice
