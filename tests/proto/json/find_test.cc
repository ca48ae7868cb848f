#include "proto/json/find.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace sluice::json {
namespace {

TEST(FindSpecial, AgreesWithItsScalarTwinForEveryByteLengthAndPlace) {
  for (std::size_t size = 1; size <= 50; ++size) {
    // A buffer of just this size, so that a sanitizer sees the first byte read too far.
    const auto buffer = std::make_unique<char[]>(size);
    const char* const begin = buffer.get();
    const char* const end = begin + size;
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::fill_n(buffer.get(), size, 'a');
        buffer[place] = static_cast<char>(byte);
        ASSERT_EQ(find_special(begin, end), find_special_scalar(begin, end))
            << "size " << size << " place " << place << " byte " << byte;
      }
    }
  }
}

TEST(FindSpecial, StopsAtQuotesBackslashesAndControlCharactersOnly) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = std::string(20, 'a') + static_cast<char>(byte);
    const bool is_special = byte < 0x20 || byte == '"' || byte == '\\';
    const char* const found = find_special(text.data(), text.data() + text.size());
    EXPECT_EQ(found - text.data(), is_special ? 20 : 21) << byte;
  }
}

TEST(FindSpecial, AnswersTheFirstOfSeveral) {
  const std::string text = "0123456789\"\\\"\n and more text behind it";
  EXPECT_EQ(find_special(text.data(), text.data() + text.size()), text.data() + 10);
}

TEST(FindSpecial, AnswersTheEndOfAnEmptyRange) {
  EXPECT_EQ(find_special(nullptr, nullptr), nullptr);
}

}  // namespace
}  // namespace sluice::json
