// Patterns against a matcher that tries everything.
#include "gateway/pattern.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/random.h"

namespace sluice::test {
namespace {

bool tries_everything(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] != '*') {
    return !text.empty() && text[0] == pattern[0] &&
           tries_everything(pattern.substr(1), text.substr(1));
  }
  for (std::size_t taken = 0; taken <= text.size(); ++taken) {
    if (tries_everything(pattern.substr(1), text.substr(taken))) return true;
  }
  return false;
}

std::string draw(Random& random, std::string_view letters, std::size_t size_max) {
  std::string text(random.below(size_max + 1), ' ');
  for (char& c : text) c = letters[random.below(letters.size())];
  return text;
}

TEST(Pattern, MatchesWhatTryingEverythingMatches) {
  Random random(3);
  int matched = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string pattern = draw(random, "ab*", 7);
    const std::string text = draw(random, "ab", 8);
    const bool expected = tries_everything(pattern, text);
    ASSERT_EQ(matches(pattern, text), expected) << pattern << " and " << text;
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, 1000);
}

TEST(Pattern, StandsForItselfButForTheStar) {
  EXPECT_TRUE(matches("a?[b]\\", "a?[b]\\"));
  EXPECT_FALSE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a", "A"));
  EXPECT_TRUE(matches("**", ""));
  EXPECT_FALSE(matches("", "a"));
}

// Stars in a row would take exponential time if everything were tried.
TEST(Pattern, ManyStarsTakeNoTime) {
  std::string pattern;
  for (int i = 0; i < 127; ++i) pattern += "*a";
  const std::string text(255, 'a');
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(matches(pattern + 'b', text));
}

}  // namespace
}  // namespace sluice::test
