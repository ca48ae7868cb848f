// The scanner against simdjson's DOM, on generated texts and on broken copies of them.
//
// simdjson 3.0.1 gives no verdict where it refuses valid JSON (numbers beyond its types, lone
// surrogates); there the tables of scan_test.cc are the judge.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"

namespace sluice::json {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"id", "to", "n"};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::string value(int depth) {
    switch (random_.below(depth > 0 ? 7 : 5)) {
      case 0:
        return pick({"true", "false", "null"});
      case 1:
      case 2:
        return number();
      case 3:
      case 4:
        return string();
      case 5:
        return container('[', ']', depth);
      default:
        return container('{', '}', depth);
    }
  }

  std::string container(char open, char close, int depth) {
    std::string text(1, open);
    text += space();
    const std::uint64_t size = random_.below(5);
    for (std::uint64_t i = 0; i < size; ++i) {
      if (i != 0) text += "," + space();
      if (open == '{') text += name() + space() + ":" + space();
      text += value(depth - 1) + space();
    }
    return text += close;
  }

  // One to three small accidents, at byte positions that keep the text valid UTF-8.
  std::string broken(std::string text) {
    const std::uint64_t accidents = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < accidents && !text.empty(); ++i) {
      const auto place = static_cast<std::size_t>(random_.below(text.size()));
      const bool is_ascii = static_cast<unsigned char>(text[place]) < 0x80;
      if (!is_ascii) continue;
      switch (random_.below(4)) {
        case 0:
          text.erase(place, 1);
          break;
        case 1:
          text.insert(place, 1, text[place]);
          break;
        case 2:
          text.insert(place, fragment());
          break;
        default:
          text.replace(place, 1, fragment());
          break;
      }
    }
    return text;
  }

 private:
  std::string pick(std::initializer_list<const char*> choices) {
    return choices.begin()[random_.below(choices.size())];
  }
  std::string space() { return pick({"", "", "", "", "", " ", "\n", "\t\r", "  "}); }
  std::string name() {
    return pick({R"("id")", R"("to")", R"("n")", R"("i\u0064")", R"("\u006e")", R"("x")", R"("")",
                 R"("a longer name than sixteen bytes")", R"("ID")"});
  }
  std::string number() {
    return pick({"", "-"}) + pick({"0", "7", "10", "123456789", "9007199254740993"}) +
           pick({"", "", ".0", ".5", ".125"}) + pick({"", "", "e1", "E+2", "e-3"});
  }
  std::string string() {
    std::string text = "\"";
    const std::uint64_t size = random_.below(8);
    for (std::uint64_t i = 0; i < size; ++i) {
      text += pick({"a", "bc", "a run of plain text", "你", "😀", R"(\n)", R"(\")", R"(\\)",
                    R"(\/)", R"(\u0041)", R"(\u00FF)", R"(\ud83d\ude00)", "'", "[", "}", ","});
    }
    return text += "\"";
  }
  std::string fragment() {
    return pick({"\"",   "\\",   "{",    "}", "[",   "]",  ",",    ":",  "0", "1",
                 "-",    "+",    ".",    "e", "E",   "u",  " ",    "\n", "t", "null",
                 "true", "\x01", "\x1f", "/", "\\u", "d8", "\"\"", "[]"});
  }

  Random random_;
};

// What simdjson is known to refuse although it is valid: it cannot be the judge of such a text.
bool is_beyond_simdjson(std::string_view text) {
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    digits = std::isdigit(static_cast<unsigned char>(text[i])) != 0 ? digits + 1 : 0;
    if (digits >= 17) return true;
    if (digits >= 3 && i > digits) {  // an exponent of three digits or more
      const std::string_view before = text.substr(0, i + 1 - digits);
      const std::string_view sign = before.substr(before.size() - 1);
      const std::string_view e =
          sign == "+" || sign == "-" ? before.substr(before.size() - 2, 1) : sign;
      if (e == "e" || e == "E") return true;
    }
    if (text.substr(i, 3) == "\\ud" || text.substr(i, 3) == "\\uD") return true;
  }
  return false;
}

Kind kind_of(simdjson::dom::element value) {
  if (value.is_string()) return Kind::kString;
  return value.is_number() ? Kind::kNumber : Kind::kOther;
}

// Compares the scan of an accepted text with what simdjson found in it.
void expect_same_members(simdjson::dom::element document, std::string_view text) {
  std::array<Member, kNames.size()> members;
  const auto scanned = scan(text, kNames, members);
  std::array<std::size_t, kNames.size()> counts{};
  std::array<simdjson::dom::element, kNames.size()> values;
  bool is_twice = false;
  if (document.is_object()) {
    for (const auto field : document.get_object()) {
      for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (field.key != kNames[i]) continue;
        is_twice = is_twice || counts[i]++ != 0;
        values[i] = field.value;
      }
    }
  }
  ASSERT_EQ(scanned.has_value(), !is_twice) << text;
  if (is_twice) {
    EXPECT_EQ(scanned.error(), Fault::kDuplicate) << text;
    return;
  }
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    ASSERT_EQ(members[i].kind != Kind::kAbsent, counts[i] != 0) << kNames[i] << " in " << text;
    if (counts[i] == 0) continue;
    ASSERT_EQ(members[i].kind, kind_of(values[i])) << kNames[i] << " in " << text;
    if (members[i].kind != Kind::kString) continue;
    std::array<char, 512> buffer;
    const auto decoded = decode(members[i], buffer, LoneSurrogate::kRefuse);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(*decoded, values[i].get_string().value()) << text;
  }
}

TEST(JsonScanDifferential, AgreesWithSimdjsonOnWholeAndBrokenTexts) {
  constexpr std::uint64_t kSeed = 20240501;
  constexpr int kRounds = 60'000;
  Generator generator(kSeed);
  simdjson::dom::parser parser;
  int judged_valid = 0;
  int judged_invalid = 0;
  for (int round = 0; round < kRounds && !::testing::Test::HasFailure(); ++round) {
    std::string text = generator.container('{', '}', 3);
    if (round % 3 != 0) text = generator.broken(text);
    simdjson::dom::element document;
    const auto error = parser.parse(text).get(document);
    if (error == simdjson::SUCCESS) {
      ++judged_valid;
      expect_same_members(document, text);
      continue;
    }
    if (is_beyond_simdjson(text)) continue;
    ++judged_invalid;
    std::array<Member, kNames.size()> members;
    EXPECT_FALSE(scan(text, kNames, members)) << "round " << round << ": " << text;
  }
  EXPECT_GT(judged_valid, kRounds / 4);
  EXPECT_GT(judged_invalid, kRounds / 4);
}

}  // namespace
}  // namespace sluice::json
